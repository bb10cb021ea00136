"""What a machine costs an hour: a table that ships with Slipway. No price is fetched; one that is not here is unknown.

Azure's public pay-as-you-go list prices for Linux in US dollars, without reservation or discount, as they were in the
year that `AS_OF` names. Azure ML takes no surcharge for the machines of clusters and of managed endpoints.
"""

from collections.abc import Mapping

AS_OF = "2025"
SOURCE = "https://azure.microsoft.com/pricing/details/machine-learning"
CURRENCY = "USD"

_EAST_US: Mapping[str, float] = {
    "Standard_DS1_v2": 0.073, "Standard_DS2_v2": 0.146, "Standard_DS3_v2": 0.293, "Standard_DS4_v2": 0.585,
    "Standard_DS5_v2": 1.17, "Standard_DS11_v2": 0.185, "Standard_DS12_v2": 0.37, "Standard_DS13_v2": 0.741,
    "Standard_DS14_v2": 1.482, "Standard_D2_v2": 0.146, "Standard_D3_v2": 0.293, "Standard_D4_v2": 0.585,
    "Standard_D2_v3": 0.096, "Standard_D4_v3": 0.192, "Standard_D8_v3": 0.384, "Standard_D2s_v3": 0.096,
    "Standard_D4s_v3": 0.192, "Standard_D8s_v3": 0.384, "Standard_D16s_v3": 0.768, "Standard_D2as_v4": 0.096,
    "Standard_D4as_v4": 0.192, "Standard_D8as_v4": 0.384, "Standard_D2ds_v4": 0.113, "Standard_D4ds_v4": 0.226,
    "Standard_D8ds_v4": 0.452, "Standard_D2s_v5": 0.096, "Standard_D4s_v5": 0.192, "Standard_D8s_v5": 0.384,
    "Standard_E2s_v3": 0.126, "Standard_E4s_v3": 0.252, "Standard_E8s_v3": 0.504, "Standard_E16s_v3": 1.008,
    "Standard_E4ds_v4": 0.288, "Standard_E8ds_v4": 0.576, "Standard_F2s_v2": 0.085, "Standard_F4s_v2": 0.169,
    "Standard_F8s_v2": 0.338, "Standard_F16s_v2": 0.677, "Standard_F32s_v2": 1.353, "Standard_F72s_v2": 3.045,
    "Standard_NC6s_v3": 3.06, "Standard_NC12s_v3": 6.12, "Standard_NC24s_v3": 12.24, "Standard_NC4as_T4_v3": 0.526,
    "Standard_NC8as_T4_v3": 0.752, "Standard_NC16as_T4_v3": 1.204, "Standard_NC64as_T4_v3": 4.352,
    "Standard_NC24ads_A100_v4": 3.673, "Standard_NC48ads_A100_v4": 7.346, "Standard_NC96ads_A100_v4": 14.692,
}  # fmt: skip
_WEST_EUROPE: Mapping[str, float] = {
    "Standard_DS1_v2": 0.068, "Standard_DS2_v2": 0.136, "Standard_DS3_v2": 0.272, "Standard_DS4_v2": 0.544,
    "Standard_DS5_v2": 1.088, "Standard_DS11_v2": 0.196, "Standard_DS12_v2": 0.392, "Standard_DS13_v2": 0.784,
    "Standard_D2_v3": 0.12, "Standard_D4_v3": 0.24, "Standard_D8_v3": 0.48, "Standard_D2s_v3": 0.12,
    "Standard_D4s_v3": 0.24, "Standard_D8s_v3": 0.48, "Standard_D16s_v3": 0.96, "Standard_D2s_v5": 0.115,
    "Standard_D4s_v5": 0.23, "Standard_D8s_v5": 0.46, "Standard_E2s_v3": 0.16, "Standard_E4s_v3": 0.32,
    "Standard_E8s_v3": 0.64, "Standard_F2s_v2": 0.097, "Standard_F4s_v2": 0.194, "Standard_F8s_v2": 0.388,
    "Standard_F16s_v2": 0.776, "Standard_NC6s_v3": 3.823, "Standard_NC4as_T4_v3": 0.605,
    "Standard_NC8as_T4_v3": 0.865, "Standard_NC16as_T4_v3": 1.385,
}  # fmt: skip
_CHEAPER: Mapping[str, float] = {
    **{name: price for name, price in _EAST_US.items() if not name.endswith("_v2") or name.startswith("Standard_F")},
    "Standard_DS1_v2": 0.057, "Standard_DS2_v2": 0.114, "Standard_DS3_v2": 0.229, "Standard_DS4_v2": 0.458,
    "Standard_DS5_v2": 0.916, "Standard_D2_v2": 0.114, "Standard_D3_v2": 0.229, "Standard_D4_v2": 0.458,
}  # fmt: skip
"""Where the second generation of D costs less, and the rest is as in East US."""
TABLE: Mapping[str, Mapping[str, float]] = {
    "eastus": _EAST_US,
    "eastus2": _CHEAPER,
    "westus2": _CHEAPER,
    "westeurope": _WEST_EUROPE,
}
"""Region -> size -> US dollars an hour."""
_FOUND = {region: {size.lower(): price for size, price in sizes.items()} for region, sizes in TABLE.items()}


def hourly(size: str, region: str) -> float | None:
    """What one machine costs an hour; None where the table does not know it."""
    return _FOUND.get(_region(region), {}).get(size.lower())


def by_price(region: str) -> tuple[str, ...]:
    """The sizes that the table knows, cheapest first; of another region's prices where it does not know this one."""
    known = TABLE.get(_region(region), _EAST_US)
    return tuple(sorted(known, key=lambda size: (known[size], size)))


def _region(region: str) -> str:
    """`West Europe` is `westeurope`."""
    return region.replace(" ", "").lower()
