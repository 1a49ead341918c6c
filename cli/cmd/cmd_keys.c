/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_keys.c — makes a key pair in the working directory; overwrites nothing by accident. */
#include "cli/base/json_out.h"
#include "cli/cmd/commands.h"
#include "common/base/file.h"
#include "common/crypto/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRIVATE "private.pem"
#define PUBLIC  "public.pem"
#define NEW     ".new"

static const struct kind {
	const char *word, *said;
	enum key_kind kind;
} kinds[] = {
	{ "rsa", "RSA, 4096 bits", KEY_RSA },
	{ "ecdsa", "ECDSA, P-256", KEY_ECDSA },
	{ "ed25519", "Ed25519", KEY_ED25519 },
};
static const char *const words[] = { "rsa", "ecdsa", "ed25519", NULL };

static int check_free(struct cli *cli, struct err *e)
{
	static const char *const names[] = { PRIVATE, PUBLIC };
	struct stat about;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (lstat(names[i], &about) == 0) {
			cli_hint(cli, "work in another folder; --force replaces both files, and "
				      "what the old key owned can't be claimed any more");
			return err_set(e, ERR_EXISTS, "there is a %s here already", names[i]);
		}
	return 0;
}

/* Both or none: half a pair would block the next call. */
static int write_new(const char *private, const char *public, struct err *e)
{
	if (file_write_new(PRIVATE, private, strlen(private), 0600, e) < 0)
		return err_code(e);
	if (file_write_new(PUBLIC, public, strlen(public), 0644, e) == 0)
		return 0;
	unlink(PRIVATE);
	return err_code(e);
}

/* Both new files get their names, or none: an old public key changes places with the new one, so that it
 * can come back. */
static int name_new(struct err *e)
{
	bool back = renameat2(AT_FDCWD, PUBLIC NEW, AT_FDCWD, PUBLIC, RENAME_EXCHANGE) == 0;

	/* There is none, or the file system does not exchange. */
	if (!back && ((errno != ENOENT && errno != EINVAL) || rename(PUBLIC NEW, PUBLIC) < 0))
		return err_errno(e, "name the new public key");
	if (rename(PRIVATE NEW, PRIVATE) == 0)
		return !back || unlink(PUBLIC NEW) == 0 ? 0 : err_errno(e, "remove the old key");
	err_errno(e, "name the new private key");
	if (back)
		renameat2(AT_FDCWD, PUBLIC NEW, AT_FDCWD, PUBLIC, RENAME_EXCHANGE);
	else
		unlink(PUBLIC); /* which the old private key makes again, if there is one */
	return err_code(e);
}

/* Both new files are on the disk before the first old one goes: a private key is not lost to a disk
 * that has no room for the public one. */
static int replace(const char *private, const char *public, struct err *e)
{
	if (file_write(PRIVATE NEW, private, strlen(private), 0600, e) == 0 &&
	    file_write(PUBLIC NEW, public, strlen(public), 0644, e) == 0 && name_new(e) == 0)
		return 0;
	unlink(PRIVATE NEW);
	unlink(PUBLIC NEW);
	return err_code(e);
}

static int write_pair(const EVP_PKEY *key, bool force, struct err *e)
{
	CLEANUP(free) char *public = NULL;
	char *private = NULL;
	int failed;

	if (key_to_public_pem(key, &public, e) < 0 || key_to_private_pem(key, &private, e) < 0)
		return err_code(e);
	failed = force ? replace(private, public, e) : write_new(private, public, e);
	explicit_bzero(private, strlen(private));
	free(private);
	return failed;
}

static enum cli_exit run_keys(struct cli *cli, struct err *e)
{
	const char *word = cli_value(cli, "key-type");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	const struct kind *kind = &kinds[0];

	for (size_t i = 0; word && i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].word, word) == 0)
			kind = &kinds[i];
	if (!cli_flag(cli, "force") && check_free(cli, e) < 0)
		return CLI_FAILED;
	if (key_generate(kind->kind, &key, e) < 0 || write_pair(key, cli_flag(cli, "force"), e) < 0)
		return CLI_FAILED;
	fprintf(cli->out, PRIVATE " (keep it to yourself) and " PUBLIC " written: %s\n",
		kind->said);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'k', .name = "key-type", .value = "TYPE", .words = words,
	  .help = "rsa (4096 bits, the default), ecdsa (P-256) or ed25519" },
	{ .name = "force", .help = "replace files that are there" },
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_keys = {
	.name = "keys",
	.common = true,
	.args = "",
	.help = "make a key pair: " PRIVATE " and " PUBLIC " in this folder",
	.options = options,
	.run = run_keys,
	.more = "Each type does the same work; RSA, the default of other clients of this protocol too, is the largest and\n"
		"slowest. The parties of a computation may have keys of different types.",
};
