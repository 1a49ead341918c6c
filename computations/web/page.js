// What is better with a script: copies, comparing a digest, times of one's own zone, events as they come.
// Texts of others become text nodes, never markup.

const EVENTS_MAX = 60;
const said = document.getElementById("said");

function say(text) {
	said.textContent = text;
}

function showTime(time) {
	const moment = new Date(time.dateTime);
	if (!isNaN(moment))
		time.textContent = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

function prepare(root) {
	for (const time of root.querySelectorAll("time"))
		showTime(time);
}

document.addEventListener("click", async (event) => {
	const button = event.target.closest("[data-copy]");
	if (!button)
		return;
	try {
		await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
		say("Copied");
	} catch {
		say("Not copied: select the text instead");
	}
});

function compare(form) {
	const groups = document.getElementById(form.dataset.with).children;
	const out = form.querySelector("output");
	const given = form.querySelector("input").value.toLowerCase().replace(/^\s*sha3-256:/, "").replace(/[\s:]/g, "");
	const other = [];
	for (const [index, group] of [...groups].entries()) {
		const differs = given.length === 64 && given.slice(8 * index, 8 * index + 8) !== group.textContent;
		group.classList.toggle("other", differs);
		if (differs)
			other.push(index + 1);
	}
	out.classList.toggle("no", given.length !== 64 || other.length > 0);
	if (given.length !== 64)
		out.textContent = `${given.length} characters, a digest has 64. Was some of it cut off?`;
	else if (other.length)
		out.textContent = `Another digest: group ${other.join(", ")} differs. Send nothing, and ask whose manifest this is.`;
	else
		out.textContent = "The same 64 characters.";
}

for (const form of document.querySelectorAll("form.compare")) {
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		compare(form);
	});
}

function element(name, text, kind) {
	const made = document.createElement(name);
	made.textContent = text;
	if (kind)
		made.className = kind;
	return made;
}

function eventItem(record) {
	const item = document.createElement("li");
	const time = document.createElement("time");
	const what = document.createElement("div");
	const is = record.kind === "event";
	item.className = "new";
	time.dateTime = record.received;
	time.title = record.received;
	showTime(time);
	what.append(element("b", is ? record.type : record.level), " ", element("bdi", is ? record.status : ""),
		element("span", record.text.length > 1000 ? record.text.slice(0, 1000) + "…" : record.text, "sub"));
	item.append(time, what);
	return item;
}

// The server renders the state; the page asks for it again, once for events that come together. False: it is not told.
async function refresh() {
	const answer = await fetch(location.pathname, { headers: { accept: "text/html" } }).catch(() => null);
	if (!answer?.ok)
		return false;
	const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
	for (const id of ["status", "progress"]) {
		const fresh = parsed.getElementById(id), old = document.getElementById(id);
		if (!fresh || !old)
			continue;
		prepare(fresh);
		if (fresh.dataset.journal)
			old.dataset.journal = fresh.dataset.journal; // asked for, even if what one is in stays
		if (fresh.textContent === old.textContent || old.contains(document.activeElement))
			continue;
		old.replaceWith(fresh);
		if (id === "status")
			say(`State: ${fresh.querySelector(".state").textContent}`);
	}
	return parsed.getElementById("status") !== null;
}

let asked = 0;
function askStatus() {
	clearTimeout(asked);
	asked = setTimeout(refresh, 300);
}

// A workflow has no stream: while it goes on it is asked for again, as long as somebody looks.
const AGAIN_MS = 2000;
function repeat(live) {
	let since = new Date();

	async function again() {
		const isLive = document.hidden || await refresh();
		if (isLive && !document.hidden)
			since = new Date();
		live.classList.toggle("on", isLive);
		live.textContent = isLive ? "Live" : `Connecting again, shown as of ${since.toLocaleTimeString()}`;
		live.hidden = !document.querySelector("#status[data-again]");
		if (!live.hidden)
			setTimeout(again, AGAIN_MS);
	}
	again();
}

// What is still coming, and what runs: numbers go where the server has put their places. Where these are others by now, the
// page is asked for again, once for each way that they are.
let askedFor = "";
function showGoing({ uploads, run }) {
	const places = document.querySelectorAll("[data-going]"), line = document.getElementById("running");
	let fits = places.length === uploads.length && !line === !run;
	for (const one of uploads) {
		const place = document.querySelector(`[data-going="${Number(one.asset)}"]`), bar = place?.querySelector("progress");
		if (!place || place.dataset.waits !== String(one.waits) || !bar === !!one.bytes_expected) {
			fits = false;
			continue;
		}
		if (bar) {
			bar.max = one.bytes_expected;
			bar.value = one.bytes_received;
		}
		place.querySelector(".sub").textContent = one.text;
	}
	if (line && run)
		line.textContent = run.text;
	const shape = JSON.stringify([uploads.map((one) => [one.asset, one.waits, !!one.bytes_expected]), !run]);
	if (!fits && shape !== askedFor)
		askStatus();
	askedFor = fits ? "" : shape;
}

function follow(list) {
	const live = document.getElementById("live");
	let last = Number(new URL(list.dataset.from, location).searchParams.get("after"));
	let source = null;

	function show(isLive) {
		live.hidden = false;
		live.classList.toggle("on", isLive);
		const what = source?.readyState === EventSource.CLOSED ? "Ended: come with a new link" : "Connecting again";
		live.textContent = isLive ? "Live" : `${what}, shown as of ${new Date().toLocaleTimeString()}`;
	}

	function open() {
		const address = new URL(list.dataset.from, location);
		address.searchParams.set("after", last);
		source = new EventSource(address);
		source.onopen = () => show(true);
		source.onerror = () => show(false);
		source.addEventListener("record", (event) => {
			const record = JSON.parse(event.data);
			if (record.number <= last)
				return;
			last = record.number;
			document.getElementById("none")?.remove();
			list.prepend(eventItem(record));
			while (list.children.length > EVENTS_MAX)
				list.lastElementChild.remove();
			askStatus();
		});
		source.addEventListener("progress", (event) => showGoing(JSON.parse(event.data)));
		source.addEventListener("journal", (event) => {
			const { run, entries } = JSON.parse(event.data);
			if (document.getElementById("progress")?.dataset.journal !== `${run}.${entries}`)
				askStatus();
		});
	}

	document.addEventListener("visibilitychange", () => {
		if (document.hidden) {
			source?.close();
			source = null;
		} else if (!source) {
			open();
			askStatus();
		}
	});
	if (!document.hidden)
		open();
}

// A machine's console: text as it comes, of which the newest part stays. Who scrolls up is left there.
const CONSOLE_MAX = 256 * 1024;

function watch(screen) {
	const live = document.getElementById("live"), ended = document.getElementById("ended");
	const hold = document.getElementById("hold");
	const source = new EventSource(screen.dataset.from);
	let kept = "", drawn = false;

	function draw() {
		drawn = false;
		screen.textContent = kept;
		if (hold.getAttribute("aria-pressed") === "true")
			screen.scrollTop = screen.scrollHeight;
	}

	function add(text) {
		kept += text;
		if (kept.length > CONSOLE_MAX)
			kept = kept.slice(Math.max(kept.indexOf("\n", kept.length - CONSOLE_MAX / 2) + 1, kept.length - CONSOLE_MAX));
		if (!drawn)
			requestAnimationFrame(draw);
		drawn = true;
	}

	function show(isLive, text) {
		live.classList.toggle("on", isLive);
		live.textContent = text;
	}

	hold.addEventListener("click", () => {
		hold.setAttribute("aria-pressed", hold.getAttribute("aria-pressed") !== "true");
		draw();
	});
	show(false, "Connecting");
	source.addEventListener("begin", () => {
		kept = "";
		ended.textContent = "";
		add("");
		show(true, "Live");
	});
	source.addEventListener("text", (event) => {
		const said = JSON.parse(event.data);
		add((said.skipped ? "[what came before is not kept any more]\n" : "") + said.text);
	});
	source.addEventListener("end", (event) => {
		const said = JSON.parse(event.data);
		ended.textContent = said.why;
		if (!said.again) {
			source.close();
			show(false, "Ended");
		}
	});
	source.onerror = () => show(false, source.readyState === EventSource.CLOSED ? "Ended" : "Connecting again");
}

const consoleScreen = document.getElementById("console");
if (consoleScreen)
	watch(consoleScreen);

// A file's digest, computed here: nothing of the file is sent, for its field has no name.
let hashing = 0;
async function fillDigest(part) {
	const file = part.querySelector("input").files[0], out = part.querySelector("output");
	const digest = document.getElementById(part.dataset.hash), mine = ++hashing;
	digest.value = out.textContent = ""; // that of the file before is not this one's
	if (!file)
		return;
	try {
		const { hashFile } = await import("/sha3.js");
		const hex = await hashFile(file, (done) => {
			out.textContent = `${Math.floor(100 * done)} %`;
			return mine !== hashing;
		});
		if (mine !== hashing)
			return;
		digest.value = hex;
		out.textContent = "Computed here.";
	} catch {
		if (mine === hashing)
			out.textContent = "This file can’t be read: use the command.";
	}
}

for (const part of document.querySelectorAll("[data-hash]"))
	part.addEventListener("change", () => fillDigest(part));

// A PEM file's text goes into its field, where the form has it. What is in no place of its kind is left out.
async function fillPem(part) {
	const file = part.querySelector("input").files[0], out = part.querySelector("output");
	const field = document.getElementById(part.dataset.pem), kind = part.dataset.kind;
	out.textContent = "";
	if (!file)
		return;
	const text = file.size <= 65536 ? await file.text().catch(() => "") : "";
	const kinds = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map((found) => found[1]);
	if (!kinds.some((one) => one.endsWith(kind)) || !kinds.every((one) => one.endsWith(kind) || one === "EC PARAMETERS")) {
		out.textContent = kinds.length ? `It has: ${kinds.join(", ").toLowerCase()}. A ${kind.toLowerCase()} belongs here.` : "No PEM file of at most 64 KiB.";
		return;
	}
	field.value = text;
	out.textContent = `${kinds.length} × ${kind.toLowerCase()}; checked when it is created.`;
}

for (const part of document.querySelectorAll("[data-pem]"))
	part.addEventListener("change", () => fillPem(part));

const importing = document.getElementById("import");
if (importing)
	import("/import.js").then(({ start }) => start(importing));

prepare(document);
const events = document.getElementById("events");
if (events)
	follow(events);
if (document.querySelector("#status[data-again]"))
	repeat(document.getElementById("live"));
