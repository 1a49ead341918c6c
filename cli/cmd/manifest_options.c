/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd/manifest_options.h"

#include "cli/base/json_out.h"
#include "cli/base/text.h"
#include "cli/client/asset.h"
#include "cli/client/user_keys.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/crypto/key.h"
#include "common/python/requirements.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const manifest_type_words[] = { "bin", "python", "wasm", "docker", NULL };
const char *const manifest_layout_words[] = { "folders", "stock", NULL };
const char *const manifest_logs_words[] = { "consumers", "provider", "all", NULL };

/* Options that exclude a manifest's file. */
static const char *const building[] = {
	"id",
	"name",
	"description",
	"algorithm",
	"algorithm-key",
	"algorithm-type",
	"args",
	"dataset",
	"dataset-key",
	"dataset-name",
	"decompress",
	"unpack",
	"consumer-key",
	"agent-port",
	"agent-cert",
	"agent-key",
	"agent-client-ca",
	"agent-server-ca",
	"agent-log-level",
	"agent-attested-tls",
	"layout",
	"logs",
	"cache",
	"requirements-hash",
	"replace",
	"stock-manifest",
	NULL,
};

int manifest_options_refuse(struct cli *cli, struct err *e)
{
	for (const char *const *option = building; *option; option++)
		if (cli_flag(cli, *option))
			return err_set(e, ERR_INVALID,
				       "--%s and a manifest's file exclude each other", *option);
	return 0;
}

/* A file or directory by its content; 64 hexadecimal digits, or an asset's name, as they are. */
static int put_hash(struct json_out *out, const char *key, const char *option, const char *value,
		    struct err *e)
{
	uint8_t digest[SHA3_256_LEN];
	struct stat about;
	struct err ignored;

	if (strncmp(value, MANIFEST_ASSET_PREFIX, strlen(MANIFEST_ASSET_PREFIX)) == 0) {
		json_out_text(out, key, value); /* until user_keys_fill() */
		return 0;
	}
	if (stat(value, &about) < 0 && hex_decode(value, digest, sizeof(digest), &ignored) == 0) {
		json_out_hex(out, key, digest, sizeof(digest));
		return 0;
	}
	if (asset_digest(value, digest, e) < 0)
		return err_wrap(e, "--%s", option);
	json_out_hex(out, key, digest, sizeof(digest));
	return 0;
}

static int put_file(struct json_out *out, const char *key, const char *path, struct err *e)
{
	char *text;

	if (!path)
		return 0;
	if (file_read_text(path, PEM_MAX, &text, e) < 0)
		return err_code(e);
	json_out_text(out, key, text);
	explicit_bzero(text, strlen(text));
	free(text);
	return 0;
}

/* The public half only, whichever the file holds; a user's name stays one, until user_keys_fill(). */
static int put_key(struct json_out *out, const char *option, const char *path, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *pem = NULL, *text = NULL;

	if (!path)
		return err_set(e, ERR_INVALID, "--%s is missing: the public key of its owner",
			       option);
	if (strncmp(path, MANIFEST_USER_PREFIX, strlen(MANIFEST_USER_PREFIX)) == 0) {
		json_out_text(out, "user_key", path);
		return 0;
	}
	if (file_read_text(path, PEM_MAX, &text, e) < 0)
		return err_wrap(e, "--%s", option);
	bool private = strstr(text, "PRIVATE KEY-----") != NULL;
	int failed = key_from_public_pem(text, strlen(text), &key, e);

	explicit_bzero(text, strlen(text));
	if (failed && private)
		return err_set(e, ERR_INVALID,
			       "--%s '%s' is a private key, which belongs to nobody else: give its "
			       "public half (public.pem)",
			       option, path);
	if (failed)
		return err_wrap(e, "--%s '%s'", option, path);
	if (key_to_public_pem(key, &pem, e) < 0)
		return err_code(e);
	json_out_text(out, "user_key", pem);
	return 0;
}

static int put_algorithm(struct cli *cli, struct json_out *out, struct err *e)
{
	const char *algorithm = cli_value(cli, "algorithm"), *arg;
	const char *type = cli_value(cli, "algorithm-type");

	if (!algorithm)
		return err_set(e, ERR_INVALID, "--algorithm is missing: a file, or its SHA3-256");
	json_out_object(out, "algorithm");
	if (put_hash(out, "hash", "algorithm", algorithm, e) < 0 ||
	    put_key(out, "algorithm-key", cli_value(cli, "algorithm-key"), e) < 0)
		return err_code(e);
	if (type)
		json_out_text(out, "algo_type", type);
	if (cli_flag(cli, "args")) {
		json_out_list(out, "algo_args");
		for (size_t i = 0; (arg = cli_value_at(cli, "args", i)) != NULL; i++)
			json_out_text(out, NULL, arg);
		json_out_end(out);
	}
	json_out_end(out);
	return 0;
}

/* The option names this dataset, or one of them. */
static bool is_named(struct cli *cli, const char *option, const char *name)
{
	const char *named;

	for (size_t i = 0; name && (named = cli_value_at(cli, option, i)) != NULL; i++)
		if (strcmp(named, name) == 0)
			return true;
	return false;
}

/* The name that the algorithm sees: what was given, else a file's own; NULL: it stays without. */
static const char *dataset_name(struct cli *cli, size_t n)
{
	const char *dataset = cli_value_at(cli, "dataset", n);
	const char *name = cli_value_at(cli, "dataset-name", n);
	const char *slash = strrchr(dataset, '/');
	struct stat about;

	if (!name && stat(dataset, &about) == 0 && S_ISREG(about.st_mode))
		name = slash ? slash + 1 : dataset;
	return name;
}

/* The file ends as no zip does (APPNOTE 4.3.16): the agent would find that out when all of it has come. A
 * folder becomes one; of a digest nothing is known. */
static int refuse_no_zip(const char *path, struct err *e)
{
	enum { END = 22, COMMENT_MAX = 65535 };
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP(free) uint8_t *end = NULL;
	struct stat about;
	size_t len;

	if (fd < 0 || fstat(fd, &about) < 0 || !S_ISREG(about.st_mode))
		return 0;
	len = about.st_size < END + COMMENT_MAX ? (size_t)about.st_size : END + COMMENT_MAX;
	end = malloc(len + 1);
	if (!end)
		return err_nomem(e);
	if (fd_read_at(fd, end, len, (uint64_t)about.st_size - len, e) < 0)
		return err_wrap(e, "'%s'", path);
	if (len >= END && memmem(end, len, "PK\5\6", 4))
		return 0;
	return err_set(e, ERR_INVALID, "'%s' is to be unpacked, and is no zip", path);
}

static int put_dataset(struct cli *cli, struct json_out *out, size_t n, struct err *e)
{
	const char *dataset = cli_value_at(cli, "dataset", n);
	const char *key = cli_value_at(cli, "dataset-key", n);
	const char *name = dataset_name(cli, n);

	/* One key for all of them may be given once. */
	if (!key && !cli_value_at(cli, "dataset-key", 1))
		key = cli_value(cli, "dataset-key");
	json_out_object(out, NULL);
	if (put_hash(out, "hash", "dataset", dataset, e) < 0 ||
	    put_key(out, "dataset-key", key, e) < 0)
		return err_code(e);
	if (name && !utf8_valid(name, strlen(name)))
		return err_set(e, ERR_INVALID,
			       "--dataset %s: its name is not UTF-8: give one by --dataset-name",
			       log_quote(name).text);
	if (name)
		json_out_text(out, "filename", name);
	if (cli_flag(cli, "decompress") || is_named(cli, "unpack", name)) {
		if (refuse_no_zip(dataset, e) < 0)
			return err_code(e);
		json_out_bool(out, "decompress", true);
	}
	if (is_named(cli, "cache", name))
		json_out_bool(out, "cache", true);
	json_out_end(out);
	return 0;
}

static int put_lists(struct cli *cli, struct json_out *out, struct err *e)
{
	if (cli_flag(cli, "dataset")) {
		json_out_list(out, "datasets");
		for (size_t i = 0; cli_value_at(cli, "dataset", i); i++)
			if (put_dataset(cli, out, i, e) < 0)
				return err_code(e);
		json_out_end(out);
	}
	if (put_algorithm(cli, out, e) < 0)
		return err_code(e);
	if (!cli_flag(cli, "consumer-key"))
		return err_set(e, ERR_INVALID,
			       "--consumer-key is missing: nobody could fetch the "
			       "results");
	json_out_list(out, "result_consumers");
	for (size_t i = 0; cli_value_at(cli, "consumer-key", i); i++) {
		json_out_object(out, NULL);
		if (put_key(out, "consumer-key", cli_value_at(cli, "consumer-key", i), e) < 0)
			return err_code(e);
		json_out_end(out);
	}
	json_out_end(out);
	return 0;
}

static int put_agent(struct cli *cli, struct json_out *out, struct err *e)
{
	const char *port = cli_value(cli, "agent-port");
	const char *level = cli_value(cli, "agent-log-level");
	bool attested = cli_flag(cli, "agent-attested-tls");

	if (!port && !level && !attested && !cli_value(cli, "agent-cert") &&
	    !cli_value(cli, "agent-key") && !cli_value(cli, "agent-client-ca") &&
	    !cli_value(cli, "agent-server-ca"))
		return 0;
	json_out_object(out, "agent_config");
	if (port)
		json_out_text(out, "port", port);
	if (level)
		json_out_text(out, "log_level", level);
	if (attested)
		json_out_bool(out, "attested_tls", true);
	if (put_file(out, "cert_file", cli_value(cli, "agent-cert"), e) < 0 ||
	    put_file(out, "key_file", cli_value(cli, "agent-key"), e) < 0 ||
	    put_file(out, "client_ca_file", cli_value(cli, "agent-client-ca"), e) < 0 ||
	    put_file(out, "server_ca_file", cli_value(cli, "agent-server-ca"), e) < 0)
		return err_code(e);
	json_out_end(out);
	return 0;
}

/* A name that no dataset has would be asked for, and never be. */
static int refuse_unnamed(struct cli *cli, const char *option, struct err *e)
{
	const char *named, *name;

	for (size_t i = 0; (named = cli_value_at(cli, option, i)) != NULL; i++) {
		bool found = false;

		for (size_t n = 0; cli_value_at(cli, "dataset", n) && !found; n++)
			found = (name = dataset_name(cli, n)) != NULL && strcmp(name, named) == 0;
		if (!found)
			return err_set(e, ERR_INVALID,
				       "--%s: no dataset is named '%s' (a folder or a digest has "
				       "no name but that of --dataset-name)",
				       option, named);
	}
	return 0;
}

/* What travels is the file itself, or a bundle with wheels; no other file can be meant. */
static int check_requirements(struct cli *cli, const char *path, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	CLEANUP(free) uint8_t *text = NULL;
	struct stat about;
	char begins[4];
	size_t len;

	/* Digits, or what put_hash() refuses; a folder counts as its zip. */
	if (fd < 0 || fstat(fd, &about) < 0 || !S_ISREG(about.st_mode))
		return 0;
	if (!about.st_size) {
		cli_hint(cli, "leave it out: nothing travels as the requirements then");
		return err_set(e, ERR_INVALID, "--requirements-hash '%s': the file is empty", path);
	}
	if (fd_read_at(fd, begins, sizeof(begins), 0, e) == 1 && memcmp(begins, "PK\3\4", 4) == 0)
		return 0;
	if (file_read(path, REQUIREMENTS_BYTES_MAX, &text, &len, e) < 0 ||
	    requirements_check(text, len, e) < 0) {
		cli_hint(cli, "give a file of requirements that travels alone, or the digest that "
			      "'cocos-cli checksum FILE --wheels DIR' prints of one with wheels");
		return err_wrap(e, "--requirements-hash '%s' can't be what travels", path);
	}
	fprintf(stderr,
		"note: --requirements-hash %s is that file alone: right where the image has all that "
		"it asks for. If wheels travel along, give what 'cocos-cli checksum %s --wheels DIR' "
		"prints, and send them with --wheels DIR\n",
		text_plain(path).text, text_plain(path).text);
	return 0;
}

static int put_extension(struct cli *cli, struct json_out *out, struct err *e)
{
	/* What a manifest of ours says where nobody asked for anything else. */
	static const struct {
		const char *option, *otherwise;
	} words[] = { { "layout", "folders" }, { "logs", "consumers" } };
	const char *requirements = cli_value(cli, "requirements-hash");
	const char *type = cli_value(cli, "algorithm-type");
	bool said = requirements || cli_flag(cli, "replace");

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		said = said || cli_value(cli, words[i].option);
	if (cli_flag(cli, "stock-manifest") && (said || cli_flag(cli, "cache")))
		return err_set(e, ERR_INVALID,
			       "--stock-manifest excludes --layout, --logs, --cache, "
			       "--requirements-hash and --replace");
	if (cli_flag(cli, "stock-manifest"))
		return 0;
	if (requirements && type && strcmp(type, "python") != 0)
		return err_set(e, ERR_INVALID,
			       "--requirements-hash: an algorithm of type %s has none, and would "
			       "never be accepted",
			       type);
	if (requirements && check_requirements(cli, requirements, e) < 0)
		return err_code(e);
	json_out_object(out, "cocos");
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const char *word = cli_value(cli, words[i].option);

		json_out_text(out, words[i].option, word ? word : words[i].otherwise);
	}
	if (requirements &&
	    put_hash(out, "requirements_hash", "requirements-hash", requirements, e) < 0)
		return err_code(e);
	if (cli_flag(cli, "replace"))
		json_out_bool(out, "replace", true);
	json_out_end(out);
	return 0;
}

/* json_out_text() would write a word of its own in their place, to be measured. */
static int refuse_no_utf8(struct cli *cli, struct err *e)
{
	static const char *const texts[] = { "id", "name", "description", "args", "dataset-name" };
	const char *text;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		for (size_t n = 0; (text = cli_value_at(cli, texts[i], n)) != NULL; n++)
			if (!utf8_valid(text, strlen(text)))
				return err_set(
					e, ERR_INVALID,
					"--%s %s: not UTF-8, and a manifest has no other text",
					texts[i], log_quote(text).text);
	return 0;
}

/* The n-th is for the n-th dataset: one too many is a dataset that was left out. */
static int refuse_over(struct cli *cli, struct err *e)
{
	static const char *const of_each[] = { "dataset-name", "dataset-key" };
	size_t datasets = 0;

	while (cli_value_at(cli, "dataset", datasets))
		datasets++;
	for (size_t i = 0; i < ARRAY_LEN(of_each); i++)
		if (cli_value_at(cli, of_each[i], datasets))
			return err_set(e, ERR_INVALID,
				       "--%s %s is for no --dataset: the n-th is for the n-th",
				       of_each[i],
				       log_quote(cli_value_at(cli, of_each[i], datasets)).text);
	return 0;
}

int manifest_options_build(struct cli *cli, uint8_t **text, size_t *len, struct err *e)
{
	static const char *const words[] = { "id", "name", "description" };
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	json_out_object(&out, NULL);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (cli_value(cli, words[i]))
			json_out_text(&out, words[i], cli_value(cli, words[i]));
	if (refuse_no_utf8(cli, e) < 0 || refuse_over(cli, e) < 0 ||
	    refuse_unnamed(cli, "cache", e) < 0 || refuse_unnamed(cli, "unpack", e) < 0 ||
	    put_lists(cli, &out, e) < 0 || put_agent(cli, &out, e) < 0 ||
	    put_extension(cli, &out, e) < 0)
		return asset_hint(cli, e);
	json_out_end(&out);
	if (writer_check(&out.w, "manifest", e) < 0)
		return err_code(e);
	*text = writer_take(&out.w, len);
	return 0;
}
