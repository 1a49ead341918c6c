// What a passkey says goes into a form, in hexadecimal; the server says what is asked for, in the form's data.
const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (digits) => parseInt(digits, 16));

function passkeyOptions({ passkey, rp, challenge, verify, ids, user, name }) {
	const known = ids.split(",").filter(Boolean).map((id) => ({ type: "public-key", id: unhex(id) }));
	const options = { challenge: unhex(challenge), timeout: 120000 };
	if (passkey === "get")
		return { ...options, rpId: rp, allowCredentials: known, userVerification: verify };
	return { ...options, rp: { id: rp, name: "Cocos" }, user: { id: unhex(user), name, displayName: name },
		pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })), excludeCredentials: known,
		authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: verify },
		attestation: "none" };
}

const PASSKEY_WHY = {
	NotAllowedError: "The device gave no passkey: cancelled, too late, or it has none for this service.",
	InvalidStateError: "This device has a passkey of yours already.",
};

async function askPasskey(form) {
	const made = await navigator.credentials[form.dataset.passkey]({ publicKey: passkeyOptions(form.dataset) });
	const { clientDataJSON, authenticatorData, signature, userHandle, attestationObject } = made.response;
	const parts = { id: made.rawId, client: clientDataJSON, data: authenticatorData, signature, handle: userHandle,
		object: attestationObject };
	for (const [name, bytes] of Object.entries(parts)) {
		const field = form.elements.namedItem(name);
		if (field)
			field.value = hex(bytes ?? []);
	}
	form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
	if (!window.PublicKeyCredential) {
		form.hidden = true;
		form.nextElementSibling.hidden = false;
		continue;
	}
	form.querySelector("button").disabled = false;
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		const out = form.querySelector("output");
		out.textContent = "";
		try {
			await askPasskey(form);
		} catch (error) {
			out.textContent = PASSKEY_WHY[error.name] ?? `Passkeys do not work here: ${error.message}`;
		}
	});
}

