"""Looks at the pages of `latentmix view` in Debian's Chromium, as a person does: browse.py ADDRESS SCENARIO [ARGUMENT]"""

import json
import shutil
import sys
from contextlib import contextmanager

from playwright.sync_api import expect, sync_playwright

ADDRESS, SCENARIO, *ARGUMENTS = sys.argv[1:]
SLOW = 120_000  # milliseconds: machines that run tests are busy
CLASS = "5-sandal"
expect.set_options(timeout=SLOW)


@contextmanager
def page(width=1280, scheme="light", height=900):
    """A page; at its end nothing was logged and nothing was asked of another host."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.set_default_timeout(SLOW)
        shown = context.new_page()
        said = []
        shown.on("console", lambda message: said.append(f"console: {message.text}"))
        shown.on("pageerror", lambda error: said.append(f"error: {error}"))
        shown.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        shown.on("request", lambda request: request.url.startswith((ADDRESS, "data:")) or said.append(f"request: {request.url}"))
        yield shown
        assert not said, said
        browser.close()


def loaded(shown):
    """All pictures in the window are there."""
    shown.wait_for_function("""() => { const images = [...document.images].filter((image) => { const box = image.getBoundingClientRect();
        return box.bottom > 0 && box.top < innerHeight; }); return images.length && images.every((image) => image.complete && image.naturalWidth); }""")


def sound(shown, what):
    """It does not scroll sideways, and whatever can be pressed has a name."""
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{what} scrolls sideways"
    nameless = shown.evaluate("""() => [...document.querySelectorAll("a, button, input, select")].filter((one) => one.checkVisibility()
        && !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length || one.title
        || one.querySelector("img:not([alt=''])"))).map((one) => one.outerHTML)""")
    assert not nameless, (what, nameless)
    assert shown.locator("h1").count() == 1, f"{what} has no heading"


def drag(shown, what, to):
    """Drags as a hand does, in small steps."""
    start, end = what.bounding_box(), to.bounding_box()
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    shown.mouse.move(x, y)
    shown.mouse.down()
    shown.mouse.move(x + 10, y + 10, steps=4)
    shown.mouse.move(end["x"] + 30, end["y"] + 30, steps=8)
    shown.mouse.move(end["x"] + 32, end["y"] + 32)
    shown.mouse.up()


def go(shown, to):
    shown.goto(ADDRESS + to)


def classes(shown):
    """The names of the run's classes, from the overview."""
    go(shown, "#/")
    expect(shown.locator("tbody tr").first).to_be_visible()
    return sorted(shown.locator("td.name a").all_text_contents())


def pages():
    """The pages, wide and narrow, light and dark."""
    for width, scheme in ((1280, "light"), (400, "dark")):
        with page(width, scheme) as shown:
            first = classes(shown)[0]
            sound(shown, "the overview")
            shown.get_by_role("link", name=first, exact=True).click()
            expect(shown.locator(".cell").first).to_be_visible()
            loaded(shown)
            sound(shown, "a class")
            shown.locator("summary").click()
            shown.get_by_label("entropy, at least").fill(shown.get_by_label("entropy, at least").get_attribute("max"))
            expect(shown.get_by_text("The limits would keep")).to_be_visible()
            expect(shown.locator(".cell.out").first).to_be_visible()
            shown.get_by_label("Show").select_option("made")
            shown.locator(".cell a").first.click()
            expect(shown.get_by_text("Nearest source images")).to_be_visible()
            sound(shown, "an image")
            expect(shown.get_by_label("Recipe as YAML")).to_contain_text("mix_id:")
            shown.get_by_role("button", name="Make it again").click()
            expect(shown.get_by_text("The same bytes")).to_be_visible()
            shown.get_by_role("link", name="Playground").click()
            expect(shown.locator(".pair img").first).to_be_visible()
            sound(shown, "the playground")


def playground():
    """A mixture follows what is chosen: by keys, by dragging, by weights, method and class."""
    with page(height=1600) as shown:  # both ends of a drag are in sight
        first, *_, other = classes(shown)
        go(shown, f"#/playground/{first}")
        mixture = shown.locator(".pair img").first
        expect(mixture).to_be_visible()
        chosen = shown.locator(".drop figure")

        def changes(act):
            before = mixture.get_attribute("src")
            act()
            shown.wait_for_function("(before) => { const image = document.querySelector('.results:not(.stale) .pair img'); return image && image.src !== before; }", arg=before)

        shown.get_by_role("button", name="None").click()
        expect(shown.get_by_text("Choose two images or more")).to_be_visible()
        picks = shown.locator(".pick")
        for i in range(3):
            picks.nth(i).focus()
            shown.keyboard.press("Enter")
        expect(chosen).to_have_count(3)
        expect(mixture).to_be_visible()
        changes(lambda: drag(shown, picks.nth(4), shown.locator(".drop")))
        expect(chosen).to_have_count(4)
        changes(lambda: drag(shown, chosen.nth(0).locator("img"), shown.locator(".offered")))
        expect(chosen).to_have_count(3)
        changes(lambda: chosen.nth(0).get_by_role("slider").fill("0.2"))
        changes(lambda: shown.get_by_label("Split off").select_option("0"))
        changes(lambda: shown.get_by_label("Norm").select_option("fix"))
        expect(shown.get_by_role("columnheader", name="fix/0")).to_be_visible()
        changes(lambda: shown.get_by_label("Prompt of").select_option(other))
        shown.get_by_role("combobox", name="Class").select_option(other)
        expect(shown.locator(f".pick[aria-label^='{other}']").first).to_be_visible()
        changes(lambda: shown.locator(".pick").first.click())
        for i in range(3, 9):  # the last one counts
            shown.get_by_label("Guidance").fill(str(i))
        expect(shown.locator(".results:not(.stale) .pair img").first).to_be_visible()


def keyboard():
    """From the overview to an image and to decisions without a mouse."""
    with page() as shown:
        go(shown, "#/")
        expect(shown.locator("tbody tr").first).to_be_visible()
        for _ in range(40):
            shown.keyboard.press("Tab")
            if shown.evaluate("document.activeElement.textContent") == CLASS:
                break
        shown.keyboard.press("Enter")
        expect(shown.locator(".cell").first).to_be_visible()
        loaded(shown)
        for _ in range(60):
            shown.keyboard.press("Tab")
            if shown.evaluate("!!document.activeElement.closest('.cell')"):
                break
        for key, index in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):  # each once the one before was done
            shown.keyboard.press(key)
            shown.wait_for_function("(index) => document.activeElement.closest('.cell')?.dataset.index === String(index)", arg=index)
        where = shown.evaluate("document.activeElement.getAttribute('href')")
        shown.keyboard.press("d")
        expect(shown.locator(".cell.hand-drop")).to_have_count(1)
        shown.keyboard.press("u")
        expect(shown.locator(".cell.hand-drop")).to_have_count(0)
        shown.wait_for_function("document.activeElement.closest('.cell')?.dataset.index === '1'")
        shown.keyboard.press("Enter")
        expect(shown.get_by_role("heading", name="Made of")).to_be_visible()
        assert shown.evaluate("location.hash") == where
        shown.keyboard.press("k")
        expect(shown.get_by_text("kept by hand")).to_be_visible()
        shown.keyboard.press("u")
        expect(shown.get_by_text("kept by hand")).to_have_count(0)
        before = shown.title()
        shown.keyboard.press("ArrowRight")
        shown.wait_for_function("(before) => document.title !== before", arg=before)  # the other image's page hears keys
        expect(shown.get_by_role("heading", name="Made of")).to_be_visible()
        shown.keyboard.press("Escape")
        expect(shown.locator(".cell").first).to_be_visible()


def decide():
    """Drops the first image made of the class and keeps the last one; prints their ids."""
    with page(400) as shown:
        go(shown, f"#/class/{CLASS}")
        shown.get_by_label("Show").select_option("made")
        cells = shown.locator(".cell:has(.hand)")
        expect(cells.first).to_be_visible()
        ids = []
        for cell, button, mark in ((cells.first, "Drop", "hand-drop"), (cells.last, "Keep", "hand-keep")):
            ids.append(cell.locator("a").get_attribute("href").split("/")[-1])
            cell.get_by_role("button", name=button).click()
            expect(shown.locator(f".cell.{mark}")).to_have_count(1)
        print(json.dumps(ids))


def bulk():
    """Drops all images made that are shown, and takes that back, at once; prints how many."""
    with page() as shown:
        go(shown, f"#/class/{CLASS}")
        drop = shown.get_by_role("button", name="shown").filter(has_text="Drop")
        expect(drop).to_be_visible()
        number = int(drop.text_content().split()[1])
        drop.click()
        expect(shown.locator(".cell.hand-drop")).to_have_count(number)
        shown.get_by_label("Show").select_option("real")
        expect(shown.locator(".cell").first).to_be_visible()
        expect(shown.locator(".cell.hand-drop")).to_have_count(0)
        expect(drop).to_be_disabled()
        shown.get_by_label("Show").select_option("made")
        expect(shown.locator(".cell.hand-drop")).to_have_count(number)
        shown.get_by_role("button", name="Undo").click()
        expect(shown.locator(".cell.hand-drop")).to_have_count(0)
        print(number)


def hostile():
    """Names are texts: none becomes an element, runs or leaves its place."""
    names = json.loads(ARGUMENTS[0])
    with page() as shown:
        go(shown, "#/")
        expect(shown.locator("tbody tr")).to_have_count(len(names))
        assert sorted(shown.locator("td.name a").all_text_contents()) == sorted(names)
        expect(shown.get_by_text("The last run ended: try again.")).to_be_visible()
        expect(shown.locator("main pre")).to_have_text("<b>the disk is full</b>")
        assert shown.locator("main script, main svg, td img, td b, pre b").count() == 0
        shown.locator("summary").first.click()
        expect(shown.locator("details[open] figure").first).to_be_visible()
        assert shown.locator("figcaption b").count() == 0
        for name in names:
            go(shown, "#/")
            expect(shown.locator("tbody tr")).to_have_count(len(names))
            shown.locator("td.name a").nth(shown.locator("td.name a").all_text_contents().index(name)).click()
            shown.wait_for_function("(name) => document.querySelector('h1')?.textContent === name", arg=name)
            expect(shown.locator(".cell").first).to_be_visible()
            assert shown.locator("main script, main svg, main h1 *").count() == 0, name


def growing():
    """A page follows a run; ARGUMENTS: how many images there will be at the end. Prints when it has seen the beginning."""
    with page() as shown:
        go(shown, "#/")
        card = shown.locator(".card", has_text="generated").locator("b")
        expect(card).not_to_have_text("0")
        print(card.text_content(), flush=True)
        expect(card).to_have_text(ARGUMENTS[0])


globals()[SCENARIO]()
