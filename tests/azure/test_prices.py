"""The table of prices says what it knows, and nothing else."""

from core.azure import prices


def test_a_size_costs_what_its_region_asks_however_it_is_spelled():
    assert prices.hourly("Standard_DS3_v2", "westeurope") == 0.272
    assert prices.hourly("STANDARD_DS3_V2", "West Europe") == 0.272
    assert prices.hourly("Standard_DS3_v2", "eastus") == 0.293


def test_what_is_not_in_the_table_is_unknown():
    assert prices.hourly("Standard_ND96asr_v4", "eastus") is None
    assert prices.hourly("Standard_DS3_v2", "moonbase") is None


def test_the_cheapest_come_first():
    listed = prices.by_price("westeurope")
    costs = [prices.hourly(size, "westeurope") for size in listed]
    assert costs == sorted(costs, key=lambda cost: cost or 0)
    assert all(cost and 0.01 < cost < 30 for cost in costs)


def test_more_cores_of_one_kind_cost_more():
    for region in prices.TABLE:
        one, two, four = (prices.hourly(f"Standard_DS{n}_v2", region) or 0 for n in (2, 3, 4))
        assert one < two < four
