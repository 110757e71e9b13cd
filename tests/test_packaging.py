"""The wheel, installed elsewhere and started from another folder, finds everything it ships."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the unpacked wheel, as an installer would lay it out."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=600,
    )
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def python(installed, code, folder):
    # -S leaves out the environment's .pth files, and so the checkout; the dependencies are put back by path
    paths = os.pathsep.join([str(installed), sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]])
    done = subprocess.run(
        [sys.executable, "-S", "-W", "ignore", "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ships_settings_assets_and_migrations(installed):
    names = {str(path.relative_to(installed)) for path in installed.rglob("*")}
    assert "dashboard/shipped/config.toml" in names
    assert any(name.startswith("dashboard/shipped/assets/") and name.endswith(".css") for name in names)
    assert any(name.startswith("storage/migrations/versions/") for name in names)
    assert not any(name.startswith("tests") for name in names)


def test_runs_and_serves_from_another_folder(installed, tmp_path):
    code = """
import dashboard, sys
from pathlib import Path
from click.testing import CliRunner
from dashboard.cli import main
done = CliRunner().invoke(main, ["run", "cdnow-sample", "--engine", "rfm"], catch_exceptions=False)
assert done.exit_code == 0, done.output
from dashboard.config import load_config, shipped
from dashboard.app import create_app_from_env
from starlette.testclient import TestClient
with TestClient(create_app_from_env(), base_url="http://127.0.0.1") as client:
    assert client.get("/health").status_code == 200
    assert client.get("/").status_code == 200
    css = sorted(path.name for path in shipped("assets").glob("*.css"))
    assert client.get(f"/assets/{css[0]}").status_code == 200
print(Path(dashboard.__file__).parent.parent, shipped("assets"))
"""
    where, assets = python(installed, code, tmp_path).split()[-2:]
    assert Path(where) == installed
    assert Path(assets) == installed / "dashboard" / "shipped" / "assets"
    assert (tmp_path / "segmentry.db").exists()
