from tests.browser.worklist.conftest import browser_of as browser_of
