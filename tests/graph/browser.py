"""A headless Chromium for tests of the page. Without one they are skipped, with the reason."""

import os
import shutil
import tempfile
from contextlib import contextmanager

import pytest

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
BROWSERS = "chromium", "chromium-browser", "google-chrome"
REQUIRED = "BACKPROP_REQUIRE_BROWSER"  # set to 1 to make a missing browser a failure


def _skip(reason):
    (pytest.fail if os.environ.get(REQUIRED) == "1" else pytest.skip)(f"the page needs a browser: {reason}")


@contextmanager
def chromium():
    """Yield a browser driven by selenium."""
    try:
        from selenium import webdriver
    except ImportError:
        _skip('selenium is not installed; pip install -e ".[browser]"')
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not (browser and driver):
        _skip("neither found: chromium and chromedriver (Debian: apt install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*QUIET, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        try:
            yield started
        finally:
            started.quit()
