/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/private_key.h"

#include "common/base/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>

struct question {
	const char *path;
	bool asked, no_terminal;
};

/* Echo is off before the question can be read, and restored in every case. */
static int read_line(int terminal, const char *path, char *out, int max)
{
	struct termios before, silent;
	int len = 0;
	char c;

	if (tcgetattr(terminal, &before) < 0)
		return -1;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(terminal, TCSAFLUSH, &silent) < 0)
		return -1;
	dprintf(terminal, "Passphrase of %s: ", path);
	while (read(terminal, &c, 1) == 1 && c != '\n')
		if (len < max)
			out[len++] = c;
	(void)!tcsetattr(terminal, TCSAFLUSH, &before);
	(void)!write(terminal, "\n", 1);
	return len;
}

static int ask(char *out, int max, void *data)
{
	struct question *q = data;
	CLEANUP(close) int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	q->asked = true;
	if (terminal < 0) {
		q->no_terminal = true;
		return -1;
	}
	return read_line(terminal, q->path, out, max);
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
