/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ca_tpm.h"

#include "common/base/log.h"

#include <errno.h>
#include <string.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#define DEVICE "device:/dev/tpmrm0"

/* Persistent ones of the owner's hierarchy (TPM 2.0 Library, part 2, 7.4); the library's own words shift an int too far. */
#define HANDLE_FIRST 0x81000000UL
#define HANDLE_LAST  0x817fffffUL

int ca_tpm_fault(struct err *e, TSS2_RC code, const char *what)
{
	return err_set(e, ERR_UNAVAILABLE, "TPM: %s: %s", what, Tss2_RC_Decode(code));
}

/* ---- its words ---- */

static int take_option(struct ca_tpm *t, const char *option, size_t len, struct err *e)
{
	const struct {
		const char *name;
		char **to;
		bool is_path;
	} all[] = {
		{ "auth-source=", &t->auth_path, true },
		{ "tcti=", &t->tcti_words, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const size_t name = strlen(all[i].name);

		if (len <= name || strncmp(option, all[i].name, name) != 0)
			continue;
		if (*all[i].to)
			return err_set(e, ERR_INVALID, "%s is said twice", all[i].name);
		if (all[i].is_path && option[name] != '/')
			return err_set(e, ERR_INVALID, "%s is not followed by an absolute path",
				       all[i].name);
		*all[i].to = strndup(option + name, len - name);
		return *all[i].to ? 0 : err_nomem(e);
	}
	return err_set(e, ERR_INVALID, "behind ? only auth-source=/PATH and tcti=WORDS are known");
}

static int take_options(struct ca_tpm *t, const char *options, struct err *e)
{
	for (;;) {
		const size_t len = strcspn(options, "&");

		if (take_option(t, options, len, e) < 0)
			return err_code(e);
		if (!options[len])
			return 0;
		options += len + 1;
	}
}

static int take_handle(struct ca_tpm *t, const char *text, struct err *e)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 16);
	if (strlen(text) != 10 || strspn(text + 2, "0123456789abcdefABCDEF") != 8 || errno ||
	    *end || value < HANDLE_FIRST || value > HANDLE_LAST)
		return err_set(e, ERR_INVALID,
			       "%s is not a persistent handle of the owner's: 0x81000000 to "
			       "0x817fffff",
			       log_quote(text).text);
	t->handle = (TPM2_HANDLE)value;
	return 0;
}

static int take_words(struct ca_tpm *t, const char *words, struct err *e)
{
	const char *key = words + strlen("tpm:"), *options = strchr(key, '?');
	CLEANUP(free) char *place = options ? strndup(key, (size_t)(options - key)) : strdup(key);

	if (!place)
		return err_nomem(e);
	if (options && take_options(t, options + 1, e) < 0)
		return err_code(e);
	if (place[0] == '/' && place[1]) {
		t->path = TAKE_PTR(place);
		return 0;
	}
	if (strncmp(place, "0x", 2) == 0)
		return take_handle(t, place, e);
	return err_set(e, ERR_INVALID,
		       "%s is neither a handle, such as 0x81010001, nor an absolute path",
		       log_quote(place).text);
}

int ca_tpm_new(const char *words, struct ca_tpm **tpm, struct err *e)
{
	CLEANUP(ca_tpm_free) struct ca_tpm *t = calloc(1, sizeof(*t));

	if (!t)
		return err_nomem(e);
	t->key = ESYS_TR_NONE;
	if (take_words(t, words, e) < 0)
		return err_wrap(e, "tpm:");
	*tpm = TAKE_PTR(t);
	return 0;
}

/* ---- its connection ---- */

void ca_tpm_drop(struct ca_tpm *t)
{
	/* What was loaded would stay: a persistent key is none of these. */
	if (t->esys && t->key != ESYS_TR_NONE && !t->handle)
		(void)Esys_FlushContext(t->esys, t->key);
	t->key = ESYS_TR_NONE;
	if (t->esys)
		Esys_Finalize(&t->esys);
	if (t->tcti)
		Tss2_TctiLdr_Finalize(&t->tcti);
}

void ca_tpm_free(struct ca_tpm *t)
{
	if (!t)
		return;
	ca_tpm_drop(t);
	free(t->path);
	free(t->auth_path);
	free(t->tcti_words);
	free(t);
}

int ca_tpm_connect(struct ca_tpm *t, struct err *e)
{
	const char *words = t->tcti_words ? t->tcti_words : DEVICE;
	TSS2_RC code;

	if (t->esys)
		return 0;
	code = Tss2_TctiLdr_Initialize(words, &t->tcti);
	if (code != TSS2_RC_SUCCESS)
		return ca_tpm_fault(e, code, words);
	code = Esys_Initialize(&t->esys, t->tcti, NULL);
	if (code != TSS2_RC_SUCCESS) {
		ca_tpm_drop(t);
		return ca_tpm_fault(e, code, "initialise");
	}
	return 0;
}
