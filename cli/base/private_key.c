/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/private_key.h"

#include "cli/base/secret.h"
#include "common/base/file.h"

#include <string.h>
#include <sys/stat.h>

struct question {
	const char *path;
	bool asked, no_terminal;
};

static int ask(char *out, int max, void *data)
{
	struct question *q = data;
	CLEANUP(free) char *text = NULL;
	struct err ignored;
	int len;

	q->asked = true;
	if (text_format(&text, &ignored, "Passphrase of %s", q->path) < 0)
		return -1;
	len = secret_ask(text, out, max);
	q->no_terminal = len < 0;
	return len;
}

static void warn_of_mode(const char *path)
{
	struct stat about;

	if (stat(path, &about) == 0 && (about.st_mode & (S_IRWXG | S_IRWXO)))
		fprintf(stderr, "warning: others on this machine may use %s: chmod 600 %s\n", path,
			path);
}

int private_key_load(struct cli *cli, const char *path, EVP_PKEY **key, struct err *e)
{
	struct question q = { .path = path };
	char *pem = NULL;
	int failed;

	if (file_read_text(path, PEM_MAX, &pem, e) < 0) {
		cli_hint(cli, "'cocos-cli keys' makes a key pair in this folder");
		return err_wrap(e, "private key");
	}
	if (strstr(pem, "PUBLIC KEY-----") && !strstr(pem, "PRIVATE KEY-----")) {
		free(pem);
		cli_hint(cli,
			 "give the file with the private half of that pair, such as private.pem");
		return err_set(e, ERR_INVALID, "'%s' is a public key, and a private one is wanted",
			       path);
	}
	failed = key_from_private_pem(pem, strlen(pem), ask, &q, key, e);
	explicit_bzero(pem, strlen(pem));
	free(pem);
	if (failed && q.no_terminal)
		cli_hint(cli, "the key is encrypted and there is no terminal to ask on: run this "
			      "from one, or decrypt it with 'openssl pkey'");
	else if (failed && q.asked)
		cli_hint(cli, "was that the right passphrase?");
	else if (failed)
		cli_hint(cli, "it must be a PEM private key: RSA, ECDSA (P-256, P-384, P-521) or "
			      "Ed25519");
	if (failed)
		return err_wrap(e, "private key '%s'", path);
	warn_of_mode(path);
	return 0;
}
