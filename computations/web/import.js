// A document of computations, read here: contents of assets and private keys stay in this browser. What the service
// answers becomes text nodes, never markup.

const FILE_MAX = 64 << 20;
const TAKEN_OUT = new Map([["asset", "contents"], ["server_key", "keys"], ["key_file", "keys"]]);
const COLUMNS = new Map([...["id", "name", "description", "owner", "start_time", "end_time", "created_at", "backend_id", "manifest"]
	.map((name) => [name, false]), ...["datasets", "algorithm", "result_consumers", "agent_config", "roles", "assets"]
	.map((name) => [name, true])]);

function stringEnd(text, at) {
	for (at++; text[at] !== '"'; at++)
		if (text[at] === "\\")
			at++;
	return at + 1;
}

// Of text that is known to be JSON.
function valueEnd(text, at) {
	for (let depth = 0;; ) {
		const sign = text[at];
		if (sign === '"') {
			at = stringEnd(text, at);
			if (!depth)
				return at;
			continue;
		}
		if (!depth && (sign === "," || sign === "}" || sign === "]"))
			return at;
		at++;
		if (sign === "{" || sign === "[")
			depth++;
		else if ((sign === "}" || sign === "]") && !--depth)
			return at;
	}
}

function check(text) {
	if (text.includes("PRIVATE KEY"))
		throw new Error("A private key stands where none belongs: take it out, nobody else may have it.");
}

// Everything else stays, byte for byte: what is wrong with it is for the service to say.
function stripJson(text, dropped) {
	try {
		JSON.parse(text);
	} catch (error) {
		throw new Error(`This is no JSON: ${error.message}`);
	}
	const colon = /\s*:\s*/y;
	let out = "", from = 0;
	for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
		const end = stringEnd(text, at), word = JSON.parse(text.slice(at, end));
		check(word);
		colon.lastIndex = at = end;
		const kind = colon.test(text) && TAKEN_OUT.get(word);
		if (!kind)
			continue;
		const first = colon.lastIndex, value = text.slice(first, at = valueEnd(text, first)).trim();
		if (value === '""' || value === "null")
			continue;
		dropped[kind]++;
		out += text.slice(from, first) + '""';
		from = at;
	}
	return out + text.slice(from);
}

// RFC 4180: each cell's text, its place, and what is behind it.
function* cells(text) {
	for (let at = text[0] === "\ufeff" ? 1 : 0; at < text.length; ) {
		const from = at, bare = /[^,"\r\n]*/y, quoted = text[at] === '"';
		if (quoted) {
			do {
				at = text.indexOf('"', at + 1) + 1;
				if (!at)
					throw new Error("A quote is not closed.");
			} while (text[at] === '"');
		} else {
			bare.lastIndex = at;
			at += bare.exec(text)[0].length;
		}
		const value = quoted ? text.slice(from + 1, at - 1).replaceAll('""', '"') : text.slice(from, at), to = at;
		const behind = text.startsWith("\r\n", at) ? "\r\n" : text.slice(at, at + 1);
		if (behind && ![",", "\n", "\r\n"].includes(behind))
			throw new Error("A quote or carriage return amid a cell: put the cell in quotes, and quotes in it twice.");
		at += behind.length;
		yield { value, from, to, last: behind !== "," };
	}
}

function stripCsv(text, dropped) {
	let header = null, names = [], column = 0, out = "", from = 0;
	for (const cell of cells(text)) {
		if (!header) {
			if (!COLUMNS.has(cell.value))
				throw new Error(`There is no column ${cell.value.slice(0, 60)}.`);
			names.push(cell.value);
		} else {
			// What stands under no column is not known to be free of contents.
			if (column >= header.length)
				throw new Error("A row has more cells than there are columns.");
			const kept = COLUMNS.get(header[column]) && cell.value ? stripJson(cell.value, dropped) : cell.value;
			check(kept);
			if (kept !== cell.value) {
				out += `${text.slice(from, cell.from)}"${kept.replaceAll('"', '""')}"`;
				from = cell.to;
			}
		}
		column++;
		if (cell.last) {
			header ??= names;
			column = 0;
		}
	}
	return out + text.slice(from);
}

// {document, csv, dropped: {contents, keys}}, or an error that says what is wrong.
export function strip(text) {
	if (!text.trim())
		throw new Error("There is no document yet: choose a file, or paste its text.");
	const csv = !/^\s*[[{]/.test(text), dropped = { contents: 0, keys: 0 };
	return { document: csv ? stripCsv(text, dropped) : stripJson(text, dropped), csv, dropped };
}

function element(name, text, kind, ...inside) {
	const made = document.createElement(name);
	made.textContent = text;
	if (kind)
		made.className = kind;
	made.append(...inside);
	return made;
}

function many(count, word) {
	return `${count} ${word}${count === 1 ? "" : "s"}`;
}

function note(dropped) {
	const parts = [];
	if (dropped.contents)
		parts.push(`contents of ${many(dropped.contents, "asset")}, which owners send to the agent`);
	if (dropped.keys)
		parts.push(`${many(dropped.keys, "private key")}, which an import sends to nobody`);
	return parts.length ? [element("p", `Taken out here, and not sent: ${parts.join("; ")}.`, "note warn")] : [];
}

function card(one, isPreview) {
	const made = element("section", "", "panel"), list = element("ul", "", "list");
	made.ariaLabel = one.name || one.id;
	const title = element("h2", "", "", element("bdi", one.name || "A computation without a name"));
	const does = isPreview ? "Would be created" : "Created", doesNot = isPreview ? "Would not be created" : "Not created";
	made.append(title, element("p", one.possible ? `${does}: ${many(one.datasets, "dataset")}, ${many(one.consumers, "consumer")}`
		: doesNot, one.possible ? "" : "note bad"));
	for (const text of [one.missing, ...one.warnings].filter(Boolean))
		list.append(element("li", "", "", element("bdi", text)));
	for (const id of one.unknown_users)
		list.append(element("li", "Left out of its roles: ", "", element("bdi", id), ", who is no member here"));
	if (list.children.length)
		made.append(list);
	if (one.manifest_digest)
		made.append(element("p", "Manifest ", "small", element("code", one.manifest_digest, "hex")));
	if (one.created) {
		const link = element("a", "Open it", "btn");
		link.href = `/c/${encodeURIComponent(one.id)}`;
		made.append(link);
	}
	return made;
}

export function start(form) {
	const shown = document.getElementById("import-shown"), said = document.getElementById("import-said");
	const people = document.getElementById("people"), file = document.getElementById("f-file");
	const text = document.getElementById("f-text"), own = new Set();

	// Of another document they are others.
	for (const field of [file, text])
		field.addEventListener("change", () => {
			people.replaceChildren();
			own.clear();
			shown.replaceChildren();
		});

	function showPeople(list) {
		const typed = { __proto__: null, ...mapped() }; // a person may be called "constructor"
		const fields = list.map((person, index) => {
			const field = document.createElement("input"), label = element("label", "", "", element("bdi", person.id));
			field.id = `p-${index}`;
			field.setAttribute("list", "members");
			field.autocomplete = "off";
			field.dataset.person = person.id;
			field.value = person.user || typed[person.id] || "";
			if (person.user === person.id)
				own.add(person.id);
			field.required = own.has(person.id);
			label.htmlFor = field.id;
			return element("div", "", "", label, field, element("span", !person.user ? `${typed[person.id] || "This"} is no member here: name one, or roles go without`
				: person.has_key ? "Has a key here" : "Has no key here", "hint"));
		});
		people.replaceChildren(...fields.length ? [element("h3", "Who they are here"), ...fields] : []);
	}

	// Whoever is called as a member is that one, unless another is named: to the service an empty field is no answer.
	function mapped() {
		const bare = [...people.querySelectorAll("input")].find((field) => field.required && !field.value.trim());
		if (bare)
			throw new Error(`${bare.dataset.person} is a member here: name whom it stands for, or take it out of the document.`);
		return Object.fromEntries([...people.querySelectorAll("input")]
			.filter((field) => field.value.trim() && field.value.trim() !== field.dataset.person)
			.map((field) => [field.dataset.person, field.value.trim()]));
	}

	async function send(isPreview) {
		if (file.files[0]?.size > FILE_MAX)
			throw new Error("The file is longer than 64 MiB: use the command.");
		const { document: kept, csv, dropped } = strip(file.files[0] ? await file.files[0].text() : text.value);
		const answer = await fetch(form.dataset.import, {
			method: "POST", headers: { "content-type": "application/json" },
			body: JSON.stringify({ document: kept, csv, preview: isPreview, new_ids: document.getElementById("f-new").checked,
				people: mapped() }),
		});
		const got = await answer.json();
		if (!answer.ok)
			throw new Error([got.detail, got.remedy].filter(Boolean).join("; "));
		const possible = got.computations.filter((one) => one.possible).length;
		shown.replaceChildren(...note(dropped), ...got.computations.map((one) => card(one, isPreview)));
		said.textContent = `${possible} of ${many(got.computations.length, "computation")} ${isPreview ? "can be created." : "created."}`;
		if (isPreview)
			showPeople(got.people);
		if (isPreview && possible) {
			const button = element("button", `Create ${possible === 1 ? "it" : `all ${possible}`}`, "btn main");
			button.type = "button";
			button.id = "import-create";
			button.addEventListener("click", () => act(false));
			shown.prepend(button);
		}
	}

	// One at a time: what is asked twice would be refused the second time.
	let busy = false;
	async function act(isPreview) {
		if (busy)
			return;
		busy = true;
		said.classList.remove("no");
		said.textContent = "Asking";
		try {
			await send(isPreview);
		} catch (error) {
			shown.replaceChildren();
			said.classList.add("no");
			said.textContent = error.message;
		}
		busy = false;
	}

	form.addEventListener("submit", (event) => {
		event.preventDefault();
		act(true);
	});
}
