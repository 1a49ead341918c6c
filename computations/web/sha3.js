// SHA3-256 (FIPS 202) of a file, piece by piece and here alone: crypto.subtle has none. Lanes are two halves of 32 bits.

const RATE = 136;
const LANES = [], TURNS = [], ROUNDS = [];
for (let x = 1, y = 0, t = 0; t < 24; t++) { // rho and pi (3.2.2, 3.2.3)
	[x, y] = [y, (2 * x + 3 * y) % 5];
	LANES.push(2 * (x + 5 * y));
	TURNS.push((t + 1) * (t + 2) / 2 % 64);
}
for (let round = 0, r = 1; round < 24; round++) { // iota (3.2.5)
	const constant = [0, 0];
	for (let j = 0; j < 7; j++) {
		r = (r << 1 ^ (r >> 7) * 0x71) & 255;
		const bit = (1 << j) - 1;
		if (r & 2)
			constant[bit >> 5] ^= 1 << (bit & 31);
	}
	ROUNDS.push(constant);
}

function turn(state, at, low, high, by) {
	if (by & 32)
		[low, high] = [high, low];
	by &= 31;
	state[at] = by ? low << by | high >>> 32 - by : low;
	state[at + 1] = by ? high << by | low >>> 32 - by : high;
}

function permute(state) {
	const c = new Int32Array(10), d = new Int32Array(10);
	for (const [low, high] of ROUNDS) {
		for (let i = 0; i < 10; i++)
			c[i] = state[i] ^ state[i + 10] ^ state[i + 20] ^ state[i + 30] ^ state[i + 40];
		for (let x = 0; x < 10; x += 2) {
			const next = (x + 2) % 10, last = (x + 8) % 10;
			d[x] = c[last] ^ (c[next] << 1 | c[next + 1] >>> 31);
			d[x + 1] = c[last + 1] ^ (c[next + 1] << 1 | c[next] >>> 31);
		}
		for (let i = 0; i < 50; i++)
			state[i] ^= d[i % 10];
		let heldLow = state[2], heldHigh = state[3];
		for (let t = 0; t < 24; t++) {
			const at = LANES[t], nextLow = state[at], nextHigh = state[at + 1];
			turn(state, at, heldLow, heldHigh, TURNS[t]);
			heldLow = nextLow;
			heldHigh = nextHigh;
		}
		for (let y = 0; y < 50; y += 10) {
			c.set(state.subarray(y, y + 10));
			for (let x = 0; x < 10; x++)
				state[y + x] ^= ~c[(x + 2) % 10] & c[(x + 4) % 10];
		}
		state[0] ^= low;
		state[1] ^= high;
	}
}

export class Sha3 {
	#state = new Int32Array(50);
	#fill = 0;

	#put(byte) {
		this.#state[this.#fill >> 2] ^= byte << 8 * (this.#fill & 3);
		if (++this.#fill === RATE) {
			permute(this.#state);
			this.#fill = 0;
		}
	}

	update(bytes) {
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		let at = 0;
		while (at < bytes.length)
			if (this.#fill === 0 && bytes.length - at >= RATE) {
				for (let i = 0; i < RATE / 4; i++)
					this.#state[i] ^= view.getInt32(at + 4 * i, true);
				permute(this.#state);
				at += RATE;
			} else {
				this.#put(bytes[at++]);
			}
	}

	// Once; 64 digits.
	hex() {
		this.#state[this.#fill >> 2] ^= 6 << 8 * (this.#fill & 3);
		this.#state[RATE / 4 - 1] ^= 0x80 << 24;
		permute(this.#state);
		let text = "";
		for (let i = 0; i < 32; i++)
			text += (this.#state[i >> 2] >>> 8 * (i & 3) & 255).toString(16).padStart(2, "0");
		return text;
	}
}

// Small pieces: between them the page answers to who uses it. `said` hears how much was read; true from it: stop.
export async function hashFile(file, said) {
	const PIECE = 1 << 16;
	const sha3 = new Sha3();
	for (let at = 0; at < file.size; at += PIECE) {
		if (said(at / file.size))
			return null;
		sha3.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
	}
	return sha3.hex();
}
