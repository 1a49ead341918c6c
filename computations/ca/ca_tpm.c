/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ca_tpm.h"

#include "common/base/log.h"

#include <string.h>

/* ---- its words ---- */

static int take_words(struct ca_tpm *t, const char *words, struct err *e)
{
	const struct tpm_option options[] = {
		{ "auth-source=", &t->auth_path, true },
		{ "tcti=", &t->link.tcti_words, false },
	};
	CLEANUP(free) char *place = NULL;

	if (tpm_words_read(words, options, ARRAY_LEN(options), "auth-source=/PATH and tcti=WORDS",
			   &place, e) < 0)
		return err_code(e);
	if (place[0] == '/' && place[1]) {
		t->path = TAKE_PTR(place);
		return 0;
	}
	if (strncmp(place, "0x", 2) == 0)
		return tpm_words_handle(place, &t->handle, e);
	return err_set(e, ERR_INVALID,
		       "%s is neither a handle, such as 0x81010001, nor an absolute path",
		       log_quote(place).text);
}

int ca_tpm_new(const char *words, struct ca_tpm **tpm, struct err *e)
{
	CLEANUP(ca_tpm_free) struct ca_tpm *t = calloc(1, sizeof(*t));

	if (!t)
		return err_nomem(e);
	t->key = t->session = ESYS_TR_NONE;
	if (take_words(t, words, e) < 0)
		return err_wrap(e, "tpm:");
	*tpm = TAKE_PTR(t);
	return 0;
}

/* ---- its connection ---- */

void ca_tpm_drop(struct ca_tpm *t)
{
	/* What was loaded would stay: a persistent key is none of these. */
	if (t->link.esys && t->key != ESYS_TR_NONE && !t->handle)
		(void)Esys_FlushContext(t->link.esys, t->key);
	t->key = ESYS_TR_NONE;
	if (t->link.esys)
		tpm_let_go(t->link.esys, &t->session);
	tpm_link_close(&t->link);
}

void ca_tpm_free(struct ca_tpm *t)
{
	if (!t)
		return;
	ca_tpm_drop(t);
	free(t->path);
	free(t->auth_path);
	free(t->link.tcti_words);
	free(t);
}
