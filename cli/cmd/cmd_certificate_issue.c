/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_certificate_issue.c — a new key, which stays here, and the computation service's certificate for it. */
#include "cli/base/secret.h"
#include "cli/base/text.h"
#include "cli/client/certificate_client.h"
#include "cli/cmd/commands.h"
#include "common/base/file.h"
#include "common/crypto/key.h"

#include <string.h>
#include <sys/stat.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

DEFINE_CLEANUP(X509_REQ *, X509_REQ_free)

static const char *const kinds[] = { "ecdsa", "ed25519", NULL };

/* A request that names nobody: the service knows whose token it is. */
static int make_request(EVP_PKEY *key, unsigned char **der, int *len, struct err *e)
{
	CLEANUP(X509_REQ_free) X509_REQ *request = X509_REQ_new();
	const EVP_MD *md = key_kind_of(key) == KEY_ED25519 ? NULL : EVP_sha256();

	if (!request || !X509_REQ_set_version(request, X509_REQ_VERSION_1) ||
	    !X509_REQ_set_pubkey(request, key) || !X509_REQ_sign(request, key, md))
		return err_openssl(e, ERR_INTERNAL, "make a certificate request");
	*len = i2d_X509_REQ(request, der);
	return *len > 0 ? 0 : err_openssl(e, ERR_INTERNAL, "make a certificate request");
}

static int read_pem(const char *pem, X509 **cert, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(pem, -1);

	if (!bio)
		return err_nomem(e);
	*cert = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL);
	return *cert ? 0 : err_openssl(e, ERR_INVALID, "the service's answer holds no certificate");
}

/* It is ours, and of whom the service says that it is. */
static int check_answer(const Certificates__IssueResponse *m, EVP_PKEY *key, struct err *e)
{
	CLEANUP(X509_free) X509 *cert = NULL, *authority = NULL;

	if (read_pem(m->certificate, &cert, e) < 0 || read_pem(m->authority, &authority, e) < 0)
		return err_code(e);
	if (EVP_PKEY_eq(X509_get0_pubkey(cert), key) != 1)
		return err_set(e, ERR_INVALID,
			       "the service has answered with a certificate for another key");
	if (X509_check_issued(authority, cert) != X509_V_OK ||
	    X509_verify(cert, X509_get0_pubkey(authority)) != 1)
		return err_openssl(e, ERR_INVALID,
				   "the certificate is not signed by the authority that came with "
				   "it");
	return 0;
}

static int check_free(struct cli *cli, const char *path, struct err *e)
{
	struct stat about;

	if (!path || lstat(path, &about) != 0)
		return 0;
	cli_hint(cli,
		 "name files that are not there yet: nothing is replaced, so that whoever uses "
		 "the old ones can go over to the new in one step");
	return err_set(e, ERR_EXISTS, "there is a %s already", path);
}

static int write_all(const struct cli *cli, const Certificates__IssueResponse *m, struct err *e)
{
	const char *ca = cli_value(cli, "ca");

	if (file_write_new(cli->operands[1], m->certificate, strlen(m->certificate), 0644, e) < 0)
		return err_code(e);
	if (!ca || file_write_new(ca, m->authority, strlen(m->authority), 0644, e) == 0)
		return 0;
	unlink(cli->operands[1]);
	return err_code(e);
}

/* A token is used up by the first answer: whether its certificate can be written is known before, also where two of the
 * files are one. */
static int try_files(const struct cli *cli, struct err *e)
{
	const char *cert = cli->operands[1], *ca = cli_value(cli, "ca");
	int failed;

	if (file_write_new(cert, "", 0, 0644, e) < 0)
		return err_code(e);
	failed = ca ? file_write_new(ca, "", 0, 0644, e) : 0;
	if (ca && !failed)
		unlink(ca);
	unlink(cert);
	return failed;
}

static int ask(struct cli *cli, EVP_PKEY *key, char *token, struct err *e)
{
	Certificates__IssueRequest request = CERTIFICATES__ISSUE_REQUEST__INIT;
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	const Certificates__IssueResponse *m;
	char time[COMPUTATION_TIME_MAX];
	ProtobufCMessage *response;
	unsigned char *der = NULL;
	int len = 0, failed;

	if (client_open_as_nobody(&client, CLIENT_COMPUTATIONS, cli, e) < 0 ||
	    make_request(key, &der, &len, e) < 0)
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
	failed = check_answer(m, key, e);
	if (!failed)
		failed = write_all(cli, m, e);
	if (failed) {
		cli_hint(
			cli,
			"nobody has the key of that certificate: 'cocos-cli certificate revoke %s'",
			text_plain(m->serial).text);
	} else {
		computation_time(m->expires, time);
		fprintf(cli->out, "certificate %s", text_plain(m->serial).text);
		fprintf(cli->out, " of %s", text_plain(m->role).text);
		fprintf(cli->out, " %s until %s written to %s, its key to %s\n",
			text_plain(m->name).text, time, cli->operands[1], cli->operands[0]);
	}
	protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

/* The key is on the disk before the token is used up. */
static int write_key(const char *path, const EVP_PKEY *key, struct err *e)
{
	char *pem = NULL;
	int failed;

	if (key_to_private_pem(key, &pem, e) < 0)
		return err_code(e);
	failed = file_write_new(path, pem, strlen(pem), 0600, e);
	explicit_bzero(pem, strlen(pem));
	free(pem);
	return failed;
}

static enum cli_exit run_issue(struct cli *cli, struct err *e)
{
	const char *kind = cli_value(cli, "key-type");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	char token[SECRET_MAX + 1];
	int failed;

	if (check_free(cli, cli->operands[0], e) < 0 || check_free(cli, cli->operands[1], e) < 0 ||
	    check_free(cli, cli_value(cli, "ca"), e) < 0)
		return CLI_FAILED;
	if (secret_give("Token", cli_flag(cli, "stdin"), token, e) < 0)
		return CLI_USAGE;
	failed = key_generate(kind && strcmp(kind, "ed25519") == 0 ? KEY_ED25519 : KEY_ECDSA, &key,
			      e);
	if (!failed)
		failed = write_key(cli->operands[0], key, e);
	if (!failed) {
		failed = try_files(cli, e);
		if (!failed)
			failed = ask(cli, key, token, e);
		/* Nobody has a certificate for it. */
		if (failed)
			unlink(cli->operands[0]);
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
