// SPDX-License-Identifier: Apache-2.0
// What is wrong with the page that is shown, as far as a program sees it: a list of sentences. Its rules are those of
// WCAG 2.2 AA that can be computed, for tests/integration/web_browser.py.
(() => {
	const wrong = [];
	const all = (selector) => [...document.querySelectorAll(selector)];
	const show = (element) => element.outerHTML.slice(0, 120);
	const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
		!element.closest(".sr, .skip:not(:focus)");

	function must(condition, text) {
		if (!condition)
			wrong.push(text);
	}

	// 3.1.1, 2.4.2
	must(document.documentElement.lang === "en", "the page names no language");
	must(/\S · Cocos$/.test(document.title), `title: ${document.title}`);

	// 1.3.1: headings in order, one of the first level; landmarks once, named where there are several.
	const levels = all("h1, h2, h3, h4").filter(isShown).map((h) => Number(h.tagName[1]));
	must(levels[0] === 1 && levels.filter((l) => l === 1).length === 1, `headings: ${levels}`);
	must(levels.every((l, i) => i === 0 || l <= levels[i - 1] + 1), `headings leave a level out: ${levels}`);
	must(all("main").length === 1 && all("body > .frame > header").length === 1, "one main, one header");
	must(all("nav").every((n) => n.ariaLabel), "a nav without a name");
	must(new Set(all("nav").map((n) => n.ariaLabel)).size === all("nav").length, "two navs of one name");
	must(all("section").every((s) => s.ariaLabel || document.getElementById(s.getAttribute("aria-labelledby"))),
		"a section without a name");
	for (const element of document.body.querySelectorAll("*"))
		if (isShown(element) && [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
			must(element.closest("main, header, footer, nav, .skip, [role=status]"), `outside of landmarks: ${show(element)}`);

	// 4.1.1, 1.3.1: ids once, references to what is there; labels; tables.
	const ids = all("[id]").map((e) => e.id);
	must(ids.length === new Set(ids).size, "an id stands twice");
	for (const name of ["for", "aria-labelledby", "aria-describedby", "data-copy"])
		for (const element of all(`[${name}]`))
			for (const id of element.getAttribute(name).split(" "))
				must(ids.includes(id), `${name}=${id} is nowhere`);
	for (const field of all("input:not([type=hidden]), select, textarea"))
		must(field.labels.length === 1, `no label: ${show(field)}`);
	for (const table of all("table")) {
		must(table.caption?.textContent.trim(), `no caption: ${show(table)}`);
		must([...table.querySelectorAll("th")].every((th) => th.scope), `a th without scope: ${show(table)}`);
		must([...table.querySelectorAll("tbody tr")].every((tr) => tr.cells.length === table.rows[0].cells.length),
			`rows of other lengths: ${show(table)}`);
	}
	for (const svg of all("svg"))
		must(svg.ariaHidden === "true" || svg.ariaLabel, `a picture without a name: ${show(svg)}`);
	for (const use of all("svg use"))
		must(use.getBoundingClientRect().width > 0 || !isShown(use.parentElement), `no such picture: ${show(use)}`);
	must(all("[role=status]#said").length === 1, "nothing speaks of changes");
	must(all("[tabindex]").every((e) => e.tabIndex <= 0), "an order of its own for the keyboard");

	// 1.4.3: contrast of what is written with what it is written on.
	function channels(colour) {
		const parts = colour.match(/[\d.]+/g).map(Number);
		return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
	}
	function luminance(rgb) {
		const [r, g, b] = rgb.map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
		return .2126 * r + .7152 * g + .0722 * b;
	}
	function over(top, under) {
		return top.rgb.map((v, i) => v * top.alpha + under[i] * (1 - top.alpha));
	}
	function ground(element) {
		if (!element)
			return [255, 255, 255];
		const own = channels(getComputedStyle(element).backgroundColor);
		return own.alpha === 1 ? own.rgb : over(own, ground(element.parentElement));
	}
	function ratio(element, colour) {
		const under = ground(element);
		const [a, b] = [luminance(over(channels(colour), under)), luminance(under)].sort((x, y) => y - x);
		return (a + .05) / (b + .05);
	}
	for (const element of document.body.querySelectorAll("*")) {
		if (!isShown(element) || ![...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
			continue;
		const style = getComputedStyle(element);
		const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
		const found = ratio(element, style.color);
		must(found >= (isLarge ? 3 : 4.5), `contrast ${found.toFixed(2)}: ${show(element)}`);
		must(parseFloat(style.fontSize) >= 11, `small: ${style.fontSize} ${show(element)}`);
	}
	// 1.4.11: the edges of what one types into or picks from.
	for (const field of all("input, select, textarea").filter(isShown))
		must(ratio(field.parentElement, getComputedStyle(field).borderTopColor) >= 3, `edge: ${show(field)}`);

	// 2.5.8: what is hit is 24 pixels, or stands in a sentence.
	for (const target of all("a, button, input, select, summary").filter(isShown)) {
		const box = target.getBoundingClientRect();
		const isInText = getComputedStyle(target).display === "inline";
		must(isInText || (box.width >= 24 && box.height >= 24), `${box.width} by ${box.height}: ${show(target)}`);
	}

	// 1.4.10: nothing stands beside the window, but what scrolls by itself and can be reached by keyboard.
	const width = document.documentElement.clientWidth;
	must(document.documentElement.scrollWidth <= width, `${document.documentElement.scrollWidth} wide in ${width}`);
	for (const element of document.body.querySelectorAll("*")) {
		const box = element.getBoundingClientRect();
		if (isShown(element) && box.right > width + .5 && box.width)
			must(element.closest(".scroll, .side nav"), `beside the window: ${show(element)}`);
	}
	for (const element of all(".scroll").filter((e) => e.scrollWidth > e.clientWidth))
		must(element.tabIndex === 0 && element.ariaLabel, `scrolls, and no key gets there: ${show(element)}`);
	return wrong;
})()
