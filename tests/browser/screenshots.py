"""Make the pictures of the README from the real lab, so that they stay true.

    python tests/browser/screenshots.py

Needs Chromium, JupyterLab, playwright and Pillow. Writes ``notebooks/images/``: the lab
in light and dark, the rule page, and the main flow as a short animation. The pauses let
what moves and fades on the page come to rest; the pictures show nothing else.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "notebooks" / "images"
SIZE = {"width": 1280, "height": 900}

CELLS = (
    "import workbench as wb\nfrom workbench.authoring.samples import sample_plugin\n\nplugin = wb.load(sample_plugin('weblog'))",
    "lab = wb.lab(plugin)\nlab",
)


def _tools():
    sys.path.insert(0, str(ROOT))
    spec = importlib.util.spec_from_file_location(
        "browser_conftest", Path(__file__).with_name("conftest.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Camera:
    """Takes pictures of the lab in one JupyterLab page."""

    def __init__(self, lab):
        self.lab = lab
        self.page = lab.page
        self.frames = []

    def show(self):
        self.page.evaluate("() => document.querySelector('.wb-lab').scrollIntoView()")
        time.sleep(0.7)

    def _shot(self):
        # A clip of the page: what lies over the lab is seen too.
        return self.page.screenshot(clip=self.page.locator(".wb-lab").bounding_box())

    def frame(self, seconds=1.6):
        from io import BytesIO

        from PIL import Image

        time.sleep(0.5)
        image = Image.open(BytesIO(self._shot())).convert("RGB")
        self.frames.append((image, seconds))

    def save(self, name):
        from io import BytesIO

        from PIL import Image

        image = Image.open(BytesIO(self._shot())).convert("RGB")
        image.quantize(256).save(IMAGES / name, optimize=True)

    def animate(self, name, width=900):
        tall = max(image.height for image, _ in self.frames)
        shown = []
        for image, _ in self.frames:
            from PIL import Image

            sheet = Image.new(
                "RGB", (image.width, tall), image.getpixel((4, image.height - 6))
            )
            sheet.paste(image, (0, 0))
            shown.append(
                sheet.resize(
                    (width, tall * width // image.width), Image.LANCZOS
                ).quantize(96)
            )
        times = [int(seconds * 1000) for _, seconds in self.frames]
        shown[0].save(
            IMAGES / name,
            save_all=True,
            append_images=shown[1:],
            duration=times,
            loop=0,
            optimize=True,
        )


def _flow(camera):
    """From an empty lab to a rule, as a person does it."""
    lab, page = camera.lab, camera.page
    inside = page.locator(".wb-lab")
    camera.show()
    camera.frame()
    inside.locator(".wb-run").click()
    page.wait_for_selector('.wb-pill[data-phase="ended"]')
    camera.frame()
    inside.get_by_role("textbox", name="Condition").click()
    page.keyboard.type("weblog.status >= 400 and weblog.pa", delay=15)
    page.wait_for_selector(".cm-tooltip-autocomplete li")
    camera.frame()
    page.keyboard.press("Escape")
    page.keyboard.type('th contains ".."', delay=15)
    page.keyboard.press("Escape")
    page.wait_for_function(
        "() => document.querySelector('.wb-result').dataset.matches > 0"
    )
    camera.frame(2.2)
    lab.python("lab.select(4041)")
    page.locator(".wb-grid").focus()
    page.keyboard.press("Enter")
    page.locator(".wb-why").wait_for()
    camera.frame(2.4)
    inside.get_by_role("button", name="Make a rule").first.click()
    page.locator(".wb-alert").first.wait_for()
    inside.get_by_label("Name", exact=True).fill("Path traversal")
    time.sleep(0.8)
    camera.frame(2.6)


def main() -> int:
    from playwright.sync_api import sync_playwright

    tools = _tools()
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        print("Chromium is not installed: no pictures made", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="screenshots-"))
    server = tools.Server(home)
    try:
        server.wait()
        shutil.copy(
            ROOT / "sample_plugins" / "weblog" / "data" / "access.log", server.work
        )
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=found, args=tools.CHROMIUM_FLAGS
            )
            context = chromium.new_context(viewport=SIZE, device_scale_factor=1)
            lab = tools.LabPage(context.new_page(), server)
            lab.open()
            lab.run(*CELLS, name="pictures.ipynb")
            lab.page.evaluate(
                "() => window.jupyterapp.commands.execute('application:toggle-left-area')"
            )
            lab.page.evaluate(
                "() => window.jupyterapp.commands.execute('notebook:hide-all-cell-code')"
            )
            lab.page.wait_for_selector('.wb-lab[data-ready="1"] .cm-content')
            camera = Camera(lab)
            _flow(camera)
            camera.animate("main-flow.gif")
            camera.save("rule-light.png")
            page = lab.page
            page.locator(".wb-tab", has_text="Scratch").click()
            page.locator(".wb-dock-tab", has_text="Event").click()
            time.sleep(0.8)
            camera.save("lab-light.png")
            page.get_by_role("button", name="Close the dock (3)").click()
            page.locator(".wb-field-row", has_text="status").click()
            lab.theme("JupyterLab Dark")
            time.sleep(2.5)
            camera.show()
            camera.save("lab-dark.png")
            lab.close()
            chromium.close()
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
    for path in sorted(IMAGES.iterdir()):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
