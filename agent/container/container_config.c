/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container/container_config.h"

#include "common/base/encode.h"
#include "common/base/log.h"

#include <string.h>
#include <sys/utsname.h>

const char *container_machine(void)
{
	static const struct {
		const char *kernel, *image; /* GOARCH's words (OCI Image Index, platform) */
	} rows[] = { { "x86_64", "amd64" }, { "aarch64", "arm64" }, { "riscv64", "riscv64" } };
	struct utsname name;

	uname(&name);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(name.machine, rows[i].kernel) == 0)
			return rows[i].image;
	return "unknown";
}

int container_digest(const char *text, uint8_t digest[BLOB_DIGEST_LEN], struct err *e)
{
	static const char prefix[] = "sha256:";
	size_t len = sizeof(prefix) - 1;

	if (strncmp(text, prefix, len) != 0 || strspn(text + len, "0123456789abcdef") != 64 ||
	    hex_decode(text + len, digest, BLOB_DIGEST_LEN, e) < 0)
		return err_set(e, ERR_INVALID, "the digest %s is not sha256 with 64 digits",
			       log_quote(text).text);
	return 0;
}

/* A member of that type; absent and null are NULL. */
static int member(const struct json *object, const char *key, enum json_type type,
		  const struct json **value, struct err *e)
{
	*value = json_get(object, key);
	if (*value && (*value)->type == JSON_NULL)
		*value = NULL;
	if (*value && (*value)->type != type)
		return err_set(e, ERR_INVALID, "%s is no %s", key, json_type_name(type));
	return 0;
}

static int expect_text(const struct json *object, const char *key, const char *wanted,
		       const char *what, struct err *e)
{
	const char *text;

	if (json_get_string(object, key, &text, e) < 0)
		return err_code(e);
	if (strcmp(text, wanted) != 0)
		return err_set(e, ERR_INVALID, "%s: %s is %s, %s '%s'", what, key,
			       log_quote(text).text, "and this has to be", wanted);
	return 0;
}

static int read_strings(const struct json *object, const char *key,
			struct container_strings *strings, struct err *e)
{
	const struct json *array;

	if (member(object, key, JSON_ARRAY, &array, e) < 0)
		return err_code(e);
	for (size_t i = 0; array && i < array->count; i++) {
		const struct json *item = &array->items[i];

		if (item->type != JSON_STRING)
			return err_set(e, ERR_INVALID, "%s[%zu] is no text", key, i);
		strings->bytes += strlen(item->text) + 1;
		if (strings->count == CONTAINER_STRINGS_MAX ||
		    strings->bytes > CONTAINER_STRINGS_BYTES_MAX)
			return err_set(e, ERR_EXHAUSTED, "%s has more than %d words, or %d bytes",
				       key, CONTAINER_STRINGS_MAX, CONTAINER_STRINGS_BYTES_MAX);
		strings->items[strings->count++] = item->text;
	}
	return 0;
}

/* NAME=value, each name once. */
static int check_env(const struct container_strings *env, struct err *e)
{
	for (size_t i = 0; i < env->count; i++) {
		size_t len = strcspn(env->items[i], "=");

		if (len == 0 || env->items[i][len] != '=')
			return err_set(e, ERR_INVALID, "Env[%zu] is not NAME=value", i);
		for (size_t j = 0; j < i; j++)
			if (strncmp(env->items[i], env->items[j], len + 1) == 0)
				return err_set(e, ERR_INVALID, "Env[%zu] names what Env[%zu] does",
					       i, j);
	}
	return 0;
}

static int read_run(const struct json *root, struct container_config *config, struct err *e)
{
	const struct json *run, *folder;

	if (member(root, "config", JSON_OBJECT, &run, e) < 0)
		return err_code(e);
	config->folder = "/";
	if (!run)
		return 0;
	if (read_strings(run, "Entrypoint", &config->entrypoint, e) < 0 ||
	    read_strings(run, "Cmd", &config->command, e) < 0 ||
	    read_strings(run, "Env", &config->env, e) < 0 || check_env(&config->env, e) < 0 ||
	    member(run, "WorkingDir", JSON_STRING, &folder, e) < 0)
		return err_code(e);
	if (folder && folder->text[0])
		config->folder = folder->text;
	if (config->folder[0] != '/')
		return err_set(e, ERR_INVALID, "WorkingDir %s is not absolute",
			       log_quote(config->folder).text);
	return 0;
}

static int read_layers(const struct json *root, struct container_config *config, struct err *e)
{
	const struct json *rootfs, *ids;

	if (json_get_object(root, "rootfs", &rootfs, e) < 0 ||
	    expect_text(rootfs, "type", "layers", "rootfs", e) < 0 ||
	    json_get_array(rootfs, "diff_ids", &ids, e) < 0)
		return err_code(e);
	if (ids->count == 0 || ids->count > CONTAINER_LAYERS_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "it has %zu layers, at least 1 and at most %d are taken", ids->count,
			       CONTAINER_LAYERS_MAX);
	for (size_t i = 0; i < ids->count; i++)
		if (ids->items[i].type != JSON_STRING ||
		    container_digest(ids->items[i].text, config->diff_ids[i], e) < 0)
			return err_set(e, ERR_INVALID, "rootfs: diff_ids[%zu] is no sha256 digest",
				       i);
	config->layer_count = ids->count;
	return 0;
}

int container_config_parse(const void *bytes, size_t len, const char *machine,
			   struct container_config *config, struct err *e)
{
	memset(config, 0, sizeof(*config));
	if (json_parse(bytes, len, &config->root, e) < 0 ||
	    expect_text(config->root, "os", "linux", "platform", e) < 0 ||
	    expect_text(config->root, "architecture", machine, "platform", e) < 0 ||
	    read_layers(config->root, config, e) < 0 || read_run(config->root, config, e) < 0)
		return err_wrap(e, "configuration");
	return 0;
}

void container_config_done(struct container_config *config)
{
	json_free(config->root);
	config->root = NULL;
}
