/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_certificate_issue.c — a new key, which stays here, and the computation service's certificate for it. */
#include "cli/base/secret.h"
#include "cli/base/text.h"
#include "cli/cmd/certificate_made.h"
#include "cli/cmd/commands.h"

#include <string.h>
#include <unistd.h>

static const char *const kinds[] = { "ecdsa", "ed25519", NULL };

static int ask(struct cli *cli, const struct certificate_files *files, EVP_PKEY *key, char *token,
	       struct err *e)
{
	Certificates__IssueRequest request = CERTIFICATES__ISSUE_REQUEST__INIT;
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	const Certificates__IssueResponse *m;
	ProtobufCMessage *response;
	unsigned char *der = NULL;
	int len = 0, failed;

	if (client_open_as_nobody(&client, CLIENT_COMPUTATIONS, cli, e) < 0 ||
	    certificate_made_request(key, &der, &len, e) < 0)
		return err_code(e);
	request.token = token;
	request.request.data = der;
	request.request.len = (size_t)len;
	failed = client_call(&client, &certificate_issue, &request.base, &response, e);
	OPENSSL_free(der);
	if (failed) {
		if (err_is(failed, ERR_UNAUTHENTICATED))
			cli_hint(cli, "an administrator makes one: 'cocos-cli certificate token'");
		client_hint(&client, e);
		return failed;
	}
	m = (const Certificates__IssueResponse *)response;
	failed = certificate_made_take(cli, m, key, NULL, files, e);
	if (failed)
		cli_hint(
			cli,
			"nobody has the key of that certificate: 'cocos-cli certificate revoke %s'",
			text_plain(m->serial).text);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

static enum cli_exit run_issue(struct cli *cli, struct err *e)
{
	const struct certificate_files files = { cli->operands[0], cli->operands[1],
						 cli_value(cli, "ca") };
	const char *kind = cli_value(cli, "key-type");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	char token[SECRET_MAX + 1];
	int failed;

	if (certificate_files_check(cli, &files, e) < 0)
		return CLI_FAILED;
	if (secret_give("Token", cli_flag(cli, "stdin"), token, e) < 0)
		return CLI_USAGE;
	failed = key_generate(kind && strcmp(kind, "ed25519") == 0 ? KEY_ED25519 : KEY_ECDSA, &key,
			      e);
	/* The key is on the disk before the token is used up. */
	if (!failed)
		failed = certificate_files_write_key(&files, key, e);
	if (!failed) {
		failed = certificate_files_try(&files, e);
		if (!failed)
			failed = ask(cli, &files, key, token, e);
		/* Nobody has a certificate for it. */
		if (failed)
			unlink(files.key);
	}
	explicit_bzero(token, sizeof(token));
	return failed ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "stdin", .help = "read the token from standard input, one line, and not from the terminal" },
	{ .name = "ca", .value = "FILE", .help = "write the authority's certificate there" },
	{ .letter = 'k', .name = "key-type", .value = "TYPE", .words = kinds,
	  .help = "ecdsa (P-256, the default) or ed25519" },
	CLIENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_certificate_issue = {
	.name = "certificate issue",
	.args = "KEY CERT",
	.help = "make a key and get the computation service's certificate for it",
	.operands_min = 2,
	.operands_max = 2,
	.options = options,
	.run = run_issue,
	.more = "KEY and CERT are new files, PEM; KEY is made here, for you alone to read, and goes nowhere. The token\n"
		"('certificate token') is asked for on the terminal, and not shown; nobody has to be known besides.\n"
		"What the certificate says the service knows of the token.",
};
