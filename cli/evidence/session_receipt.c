/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evidence/session_receipt.h"

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECEIPT_MAX = 2 * VERDICT_JSON_MAX };

static int write_json(const struct session_receipt *r, const char *path, const char *when,
		      const char *evidence, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RECEIPT_MAX);
	const struct authenticator *a = r->authenticator;
	uint8_t sha256[SHA256_LEN];

	if (digest(DIGEST_SHA256, a->evidence, a->evidence_len, sha256, e) < 0)
		return err_code(e);
	writer_printf(&w, "{\"receipt\":1,\"time\":\"%s\",\"evidence\":", when);
	json_quote(&w, evidence, strlen(evidence));
	json_put_hex(&w, "evidence_sha256", sha256, sizeof(sha256));
	json_put_hex(&w, "spki", a->spki, a->spki_len);
	json_put_hex(&w, "report_data", a->binding.report_data, sizeof(a->binding.report_data));
	json_put_hex(&w, "tpm_nonce", a->binding.tpm_nonce, sizeof(a->binding.tpm_nonce));
	json_put_key(&w, "verdict");
	verdict_json(r->verdict, r->claims, &w);
	writer_text(&w, "}\n");
	if (writer_check(&w, "receipt", e) < 0)
		return err_code(e);
	return file_write_new(path, w.bytes, w.len, 0600, e);
}

int session_receipt_keep(const struct session_receipt *r, struct err *e)
{
	CLEANUP(free) char *stem = NULL, *eat = NULL, *json = NULL;
	time_t at = (time_t)r->at;
	char when[24];
	struct tm utc;

	if (!gmtime_r(&at, &utc) || !strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &utc))
		return err_set(e, ERR_INTERNAL, "receipt: no time");
	if (dir_make(r->dir, 0700, e) < 0 ||
	    text_format(&stem, e, "session-%s-%d-%u", when, getpid(), r->number) < 0 ||
	    text_format(&eat, e, "%s/%s.eat", r->dir, stem) < 0 ||
	    text_format(&json, e, "%s/%s.json", r->dir, stem) < 0 ||
	    file_write_new(eat, r->authenticator->evidence, r->authenticator->evidence_len, 0600,
			   e) < 0)
		return err_wrap(e, "receipt");
	if (write_json(r, json, when, strrchr(eat, '/') + 1, e) < 0) {
		unlink(eat);
		return err_wrap(e, "receipt");
	}
	return 0;
}
