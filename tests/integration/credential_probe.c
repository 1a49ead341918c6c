/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential_probe.c — makes a credential as attestation/credential.h does, in the file form of
 * tpm2-tools: for a TPM to open.
 *
 *   credential_probe EK_PUBLIC.pem AK.tpm2b_public OUT
 *
 * prints the secret in hexadecimal.
 */
#include "attestation/tpm/credential.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"

#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 65536, MAGIC = 0xBADCC0DE };

static int probe(char **argv, struct err *e)
{
	CLEANUP(free) uint8_t *pem = NULL, *public = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *ek = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(FILE_MAX);
	char hex[2 * CREDENTIAL_SECRET_LEN + 1];
	struct credential c;
	size_t pem_len, len;

	if (file_read(argv[1], FILE_MAX, &pem, &pem_len, e) < 0 ||
	    file_read(argv[2], FILE_MAX, &public, &len, e) < 0 ||
	    key_from_public_pem((const char *)pem, pem_len, &ek, e) < 0 ||
	    credential_make(ek, (struct span){ public + 2, len - 2 }, &c, e) < 0)
		return err_code(e);
	writer_be32(&w, MAGIC);
	writer_be32(&w, 1);
	writer_be16(&w, (uint16_t)c.blob_len);
	writer_bytes(&w, c.blob, c.blob_len);
	writer_be16(&w, (uint16_t)c.encrypted_len);
	writer_bytes(&w, c.encrypted, c.encrypted_len);
	if (writer_check(&w, "credential", e) < 0 ||
	    file_write(argv[3], w.bytes, w.len, 0600, e) < 0)
		return err_code(e);
	hex_encode(c.secret, sizeof(c.secret), hex);
	puts(hex);
	return 0;
}

int main(int argc, char **argv)
{
	struct err e;

	if (argc == 4 && probe(argv, &e) == 0)
		return 0;
	fprintf(stderr, "%s\n", argc == 4 ? e.text : "three files");
	return 1;
}
