/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_certificate_renew.c — the next certificate of the same name, for whoever has the key of one that is valid. */
#include "cli/base/private_key.h"
#include "cli/base/text.h"
#include "cli/cmd/certificate_made.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/manifest/renewal.h"

#include <string.h>
#include <unistd.h>
#include <openssl/bn.h>

static const char *const kinds[] = { "ecdsa", "ed25519", NULL };

/* The certificate that there is, and its key. */
struct held {
	X509 *cert;
	EVP_PKEY *key;
	uint8_t *spki;
	size_t spki_len;
	char serial[RENEWAL_SERIAL_MAX + 1];
};

static void held_done(struct held *h)
{
	X509_free(h->cert);
	EVP_PKEY_free(h->key);
	free(h->spki);
}
#define CLEANUP_HELD __attribute__((cleanup(held_done)))

/* As the service writes it. */
static int read_serial(struct held *h, struct err *e)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(h->cert), NULL);
	uint8_t bytes[RENEWAL_SERIAL_MAX / 2];
	int len = number ? BN_num_bytes(number) : 0;
	bool fits = len > 0 && (size_t)len <= sizeof(bytes) && !BN_is_negative(number);

	if (fits) {
		BN_bn2bin(number, bytes);
		hex_encode(bytes, (size_t)len, h->serial);
	}
	BN_free(number);
	return fits ? 0
		    : err_set(e, ERR_INVALID, "its serial number is none that the service gives");
}

static int read_held(struct cli *cli, struct held *h, struct err *e)
{
	CLEANUP(free) char *pem = NULL;

	if (private_key_load(cli, cli->operands[0], &h->key, e) < 0 ||
	    file_read_text(cli->operands[1], PEM_MAX, &pem, e) < 0) {
		if (e->code == ERR_NOT_FOUND)
			cli_hint(
				cli,
				"KEY and CERT are the files that 'cocos-cli certificate issue' wrote; "
				"who has lost one asks an administrator for a token, "
				"'cocos-cli certificate token'");
		return err_code(e);
	}
	if (certificate_made_read(pem, &h->cert, e) < 0 || read_serial(h, e) < 0)
		return err_wrap(e, "'%s'", cli->operands[1]);
	if (EVP_PKEY_eq(X509_get0_pubkey(h->cert), h->key) != 1)
		return err_set(e, ERR_INVALID, "the key in %s is not that of the certificate in %s",
			       cli->operands[0], cli->operands[1]);
	return key_to_spki(h->key, &h->spki, &h->spki_len, e);
}

/* By the key that there is, of this very request. */
static int sign(const struct held *h, const uint8_t *nonce, bool same_key, struct span request,
		uint8_t signature[SIGNATURE_MAX], size_t *len, struct err *e)
{
	CLEANUP(free) uint8_t *message = NULL;
	size_t message_len;

	if (renewal_message(&(struct renewal){ h->serial, nonce, same_key, request }, &message,
			    &message_len, e) < 0)
		return err_code(e);
	return key_sign(h->key, false, message, message_len, signature, len, e);
}

static void hint(struct cli *cli, int failed)
{
	if (err_is(failed, ERR_UNAUTHENTICATED))
		cli_hint(cli, "an administrator makes a token, for 'cocos-cli certificate issue': "
			      "'cocos-cli certificate token'");
}

static int call(struct cli *cli, const Certificates__RenewRequest *request, const struct held *h,
		EVP_PKEY *key, const struct certificate_files *files, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	ProtobufCMessage *response;
	int failed;

	if (client_open_as_nobody(&client, CLIENT_COMPUTATIONS, cli, e) < 0)
		return err_code(e);
	failed = client_call(&client, &certificate_renew, &request->base, &response, e);
	if (failed) {
		hint(cli, failed);
		client_hint(&client, e);
		return failed;
	}
	failed = certificate_made_take(cli, (const Certificates__IssueResponse *)response, key,
				       h->cert, files, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

static int ask(struct cli *cli, const struct held *h, EVP_PKEY *key,
	       const struct certificate_files *files, struct err *e)
{
	Certificates__RenewRequest request = CERTIFICATES__RENEW_REQUEST__INIT;
	uint8_t nonce[RENEWAL_NONCE_LEN], signature[SIGNATURE_MAX];
	unsigned char *der = NULL;
	int len = 0, failed;

	if (random_bytes(nonce, sizeof(nonce), e) < 0 ||
	    certificate_made_request(key, &der, &len, e) < 0)
		return err_code(e);
	request.serial = (char *)(uintptr_t)h->serial;
	request.key = (ProtobufCBinaryData){ h->spki_len, h->spki };
	request.request = (ProtobufCBinaryData){ (size_t)len, der };
	request.nonce = (ProtobufCBinaryData){ sizeof(nonce), nonce };
	request.same_key = files->key == NULL;
	request.signature.data = signature;
	failed = sign(h, nonce, request.same_key, (struct span){ der, (size_t)len }, signature,
		      &request.signature.len, e);
	if (!failed)
		failed = call(cli, &request, h, key, files, e);
	OPENSSL_free(der);
	return failed;
}

/* A key of its own, on the disk before its certificate is. */
static int renew_for_another(struct cli *cli, const struct held *h,
			     const struct certificate_files *files, struct err *e)
{
	const char *kind = cli_value(cli, "key-type");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	int failed;

	if (key_generate(kind && strcmp(kind, "ed25519") == 0 ? KEY_ED25519 : KEY_ECDSA, &key, e) <
		    0 ||
	    certificate_files_write_key(files, key, e) < 0)
		return err_code(e);
	failed = certificate_files_try(files, e);
	if (!failed)
		failed = ask(cli, h, key, files, e);
	if (failed)
		unlink(files->key);
	return failed;
}

static enum cli_exit run_renew(struct cli *cli, struct err *e)
{
	const struct certificate_files files = { cli->operand_count > 3 ? cli->operands[3] : NULL,
						 cli->operands[2], cli_value(cli, "ca") };
	struct held held CLEANUP_HELD = { .cert = NULL };
	const bool same_key = cli_flag(cli, "same-key");

	if (same_key == (files.key != NULL)) {
		(void)err_set(e, ERR_INVALID, "%s",
			      same_key ? "--same-key makes no new key: leave out NEW_KEY"
				       : "name a file for the new key behind that for the new "
					 "certificate, or say --same-key");
		return CLI_USAGE;
	}
	if (same_key && cli_value(cli, "key-type")) {
		(void)err_set(e, ERR_INVALID,
			      "--key-type is of a new key, and --same-key wants none");
		return CLI_USAGE;
	}
	if (read_held(cli, &held, e) < 0)
		return CLI_USAGE;
	if (certificate_files_check(cli, &files, e) < 0)
		return CLI_FAILED;
	if (!same_key)
		return renew_for_another(cli, &held, &files, e) < 0 ? CLI_FAILED : CLI_OK;
	if (certificate_files_try(&files, e) < 0 || ask(cli, &held, held.key, &files, e) < 0)
		return CLI_FAILED;
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "same-key", .help = "for the key that there is, and not for a new one" },
	{ .name = "ca", .value = "FILE", .help = "write the authority's certificate there" },
	{ .letter = 'k', .name = "key-type", .value = "TYPE", .words = kinds,
	  .help = "of the new key: ecdsa (P-256, the default) or ed25519" },
	CLIENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_certificate_renew = {
	.name = "certificate renew",
	.args = "KEY CERT NEW_CERT [NEW_KEY]",
	.help = "get the next certificate of the same name before one ends, with its key",
	.operands_min = 3,
	.operands_max = 4,
	.options = options,
	.run = run_renew,
	.more = "KEY and CERT are what there is, and stay as they are; NEW_CERT and NEW_KEY are new files. The service gives\n"
		"a certificate of the same name, role and days to whoever has the key of one that has neither ended nor\n"
		"been revoked, and whose maker administers the service still; nobody has to be known. Not more than 4 times\n"
		"in 24 hours, and 100 times in all. Renew when a third of its time is left, and revoke what fell into other\n"
		"hands: 'certificate revoke' ends all renewals with it.",
};
