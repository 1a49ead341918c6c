/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_agent.c — corpora of the agent and of what it shares with the manager. */
#include "tests/fuzz/make_calls.h"

#include <stdio.h>
#include <string.h>

static struct writer begin(void)
{
	return writer_up_to(CALLS_INPUT_MAX);
}

/* ---- access: how the header's value is made, then the key ---- */

enum { RAW, GOOD, CHANGED };
enum { ROLE, PROOF, SIGNATURE, CHALLENGE, DIGEST, OFFSET, OTHER_HEADER };

static void good(struct writer *w, uint8_t key)
{
	writer_u8(w, key);
	writer_u8(w, GOOD);
}

static void raw(struct writer *w, uint8_t key, const char *value)
{
	writer_u8(w, key);
	writer_u8(w, RAW);
	writer_u8(w, (uint8_t)strlen(value));
	writer_text(w, value);
}

static void changed(struct writer *w, uint8_t key, uint8_t place, uint8_t by)
{
	writer_u8(w, key);
	writer_u8(w, CHANGED);
	writer_u8(w, place);
	writer_u8(w, by);
}

static struct writer access_begin(uint8_t flags, uint8_t other)
{
	struct writer w = begin();

	writer_u8(&w, flags);
	writer_u8(&w, other);
	return w;
}

void calls_access(void)
{
	static const char *const offsets[] = { "0", "01", "", "x", "9999999999999999999", "-1" };
	struct writer w;
	char name[64];

	for (uint8_t other = 0; other < 8; other++) {
		w = access_begin(other & 1, other);
		good(&w, ROLE);
		good(&w, PROOF);
		good(&w, CHALLENGE);
		good(&w, DIGEST);
		good(&w, OFFSET);
		snprintf(name, sizeof(name), "access/signed-%u", other);
		calls_save(name, &w);
		w = access_begin(0x12, other);
		good(&w, ROLE);
		good(&w, SIGNATURE);
		snprintf(name, sizeof(name), "access/role-%u", other);
		calls_save(name, &w);
	}
	for (uint8_t key = ROLE; key <= OFFSET; key++) {
		w = access_begin(0, 0);
		for (uint8_t each = ROLE; each <= OFFSET; each++) {
			if (each == SIGNATURE)
				continue;
			if (each == key)
				changed(&w, each, 3, 0x40);
			else
				good(&w, each);
		}
		snprintf(name, sizeof(name), "access/changed-%u", key);
		calls_save(name, &w);
		w = access_begin(0x24, 0);
		for (uint8_t each = ROLE; each <= OFFSET; each++) {
			good(&w, each);
			if (each == key)
				good(&w, each);
		}
		snprintf(name, sizeof(name), "access/twice-%u", key);
		calls_save(name, &w);
		w = access_begin(0, 0);
		for (uint8_t each = ROLE; each <= OFFSET; each++)
			if (each != key && each != SIGNATURE)
				good(&w, each);
		snprintf(name, sizeof(name), "access/without-%u", key);
		calls_save(name, &w);
	}
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		w = access_begin(1, 0);
		good(&w, ROLE);
		good(&w, PROOF);
		good(&w, DIGEST);
		raw(&w, OFFSET, offsets[i]);
		raw(&w, OTHER_HEADER, "x");
		snprintf(name, sizeof(name), "access/offset-%zu", i);
		calls_save(name, &w);
	}
	w = access_begin(0, 0);
	good(&w, ROLE);
	good(&w, SIGNATURE);
	calls_save("access/role-refused", &w);
	w = access_begin(0, 0);
	good(&w, ROLE);
	raw(&w, PROOF, "no base64!");
	calls_save("access/no-base64", &w);
	w = access_begin(0, 0);
	good(&w, ROLE);
	good(&w, PROOF);
	raw(&w, CHALLENGE, "0000000000000000000000000000000000000000000000000000000000000000");
	calls_save("access/foreign-challenge", &w);
}

/* ---- agent_config ---- */

enum { EMPTY, TEXT, KNOWN, FLIPPED, TWO };
enum { CERT, KEY, OTHER_CERT, OTHER_KEY, EXPIRED, EARLY, PUBLIC, PATH_CERT, PATH_KEY, PATH_OTHER };

static void text(struct writer *w, const char *value)
{
	writer_u8(w, TEXT);
	writer_be16(w, (uint16_t)strlen(value));
	writer_text(w, value);
}

static void known(struct writer *w, uint8_t which)
{
	writer_u8(w, KNOWN);
	writer_u8(w, which);
}

static struct writer config_begin(uint8_t flags, const char *port, const char *level)
{
	struct writer w = begin();

	writer_u8(&w, flags);
	text(&w, port);
	text(&w, level);
	return w;
}

/* Two bytes for each of the four fields: EMPTY, or KNOWN and which. */
static void save_config(const char *name, uint8_t flags, int cert, int key, int client, int server)
{
	const int fields[] = { cert, key, client, server };
	struct writer w = config_begin(flags, "7003", "debug");
	char path[64];

	for (size_t i = 0; i < 4; i++) {
		if (fields[i] < 0)
			writer_u8(&w, EMPTY);
		else
			known(&w, (uint8_t)fields[i]);
	}
	snprintf(path, sizeof(path), "agent_config/%s", name);
	calls_save(path, &w);
}

static void save_flipped(const char *name, uint8_t which, uint16_t place, uint8_t by)
{
	struct writer w = config_begin(1, "", "");
	char path[64];

	for (uint8_t field = 0; field < 4; field++) {
		if (field != which) {
			known(&w, field == 1 ? KEY : CERT);
			continue;
		}
		writer_u8(&w, FLIPPED);
		writer_u8(&w, field == 1 ? KEY : CERT);
		writer_be16(&w, place);
		writer_u8(&w, by);
	}
	snprintf(path, sizeof(path), "agent_config/%s", name);
	calls_save(path, &w);
}

void calls_agent_config(void)
{
	static const char *const ports[] = { "0", "65535", "65536", "007", "80x", "111111" };
	char name[64];
	struct writer w;

	save_config("nothing", 0, -1, -1, -1, -1);
	save_config("attested", 1, -1, -1, -1, -1);
	save_config("attested-client-ca", 1, -1, -1, OTHER_CERT, -1);
	save_config("tls", 0, CERT, KEY, -1, -1);
	save_config("all", 1, CERT, KEY, OTHER_CERT, CERT);
	save_config("other-curve", 0, OTHER_CERT, OTHER_KEY, -1, -1);
	save_config("other-curve-attested", 1, OTHER_CERT, OTHER_KEY, -1, -1);
	save_config("key-alone", 0, -1, KEY, -1, -1);
	save_config("cert-alone", 0, CERT, -1, -1, -1);
	save_config("ca-alone", 0, -1, -1, CERT, -1);
	save_config("other-key", 0, CERT, OTHER_KEY, -1, -1);
	save_config("expired", 0, EXPIRED, KEY, -1, -1);
	save_config("early", 0, EARLY, KEY, -1, -1);
	save_config("public", 0, CERT, PUBLIC, -1, -1);
	save_config("key-as-cert", 0, KEY, KEY, -1, -1);
	save_config("ca-no-cert", 0, CERT, KEY, KEY, -1);
	save_config("server-ca-no-cert", 0, CERT, KEY, -1, PUBLIC);
	save_config("paths", 0, PATH_CERT, PATH_KEY, PATH_CERT, -1);
	save_config("path-unknown", 0, PATH_OTHER, PATH_KEY, -1, -1);
	save_config("no-paths", 2, PATH_CERT, PATH_KEY, -1, -1);
	save_flipped("flip-cert", 0, 200, 1);
	save_flipped("flip-cert-head", 0, 3, 1);
	save_flipped("flip-key", 1, 60, 1);
	save_flipped("flip-client", 2, 300, 4);
	save_flipped("flip-server", 3, 27, 0x20);
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		w = config_begin(0, ports[i], "INFO");
		snprintf(name, sizeof(name), "agent_config/port-%s", ports[i]);
		calls_save(name, &w);
	}
	w = config_begin(0, "", "loud");
	calls_save("agent_config/level", &w);
	w = config_begin(1, "1", "warn");
	for (uint8_t i = 0; i < 4; i++) {
		writer_u8(&w, TWO);
		writer_u8(&w, i == 1 ? KEY : CERT);
		writer_u8(&w, i == 1 ? OTHER_KEY : OTHER_CERT);
	}
	calls_save("agent_config/two", &w);
	/* Longer than PEM may be. */
	w = config_begin(0, "1", "warn");
	writer_u8(&w, TEXT);
	writer_be16(&w, UINT16_MAX);
	writer_zeros(&w, 1);
	for (int i = 0; i < 70; i++)
		writer_text(&w, "certificate\n");
	calls_save("agent_config/words", &w);
}
