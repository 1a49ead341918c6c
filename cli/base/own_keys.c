/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/own_keys.h"

#include "cli/base/key_file.h"
#include "cli/base/text.h"

#include <string.h>
#include <unistd.h>

static int add(struct cli *cli, struct own_keys *own, const char *path, struct err *e)
{
	struct own_key key = { .name = path };

	if (own->count == OWN_KEYS_MAX)
		return err_set(e, ERR_INVALID, "--key: more than %d keys", OWN_KEYS_MAX);
	if (key_file_spki(cli, path, &key.spki, &key.len, e) < 0)
		return err_code(e);
	own->keys[own->count++] = key;
	return 0;
}

int own_keys_find(struct cli *cli, struct own_keys *own, struct err *e)
{
	static const char *const here[] = { "public.pem", "private.pem" };
	const char *path;
	/* The folder may be a stranger's: who names keys means these. */
	size_t count = cli_value_at(cli, "key", 0) ? 0 : ARRAY_LEN(here);

	for (size_t i = 0; i < count; i++)
		if (access(here[i], F_OK) == 0 && add(NULL, own, here[i], e) < 0)
			fprintf(stderr, "note: %s here is not compared: %s\n", here[i],
				text_plain(e->text).text);
	*e = (struct err){ .code = ERR_OK };
	for (size_t i = 0; (path = cli_value_at(cli, "key", i)) != NULL; i++)
		if (add(cli, own, path, e) < 0)
			return err_code(e);
	return 0;
}

void own_keys_done(struct own_keys *own)
{
	for (size_t i = 0; i < own->count; i++)
		free(own->keys[i].spki);
	own->count = 0;
}

const char *own_keys_next(const struct own_keys *own, const void *spki, size_t len, size_t *at)
{
	while (*at < own->count) {
		const struct own_key *key = &own->keys[(*at)++];

		if (key->len == len && memcmp(key->spki, spki, len) == 0)
			return key->name;
	}
	return NULL;
}
