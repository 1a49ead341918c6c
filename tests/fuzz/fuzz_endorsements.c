/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endorsements from services and caches that lie: evidence is right, and what AMD's or Intel's service
 * answers is edited, missing, or older than before; so are the files of the cache, which the first of
 * two rounds filled (edits.h). What comes of it never is a yes by other documents than the forge's.
 *
 * Head: how it is asked, which documents each round lacks, and the service's habits; the bits below.
 */
#define EDITS_HEAD 4
#include "attestation/endorse/endorse_http.h"
#include "attestation/endorse/endorse_snp.h"
#include "attestation/endorse/endorsements.h"
#include "common/base/file.h"
#include "tests/fuzz/endorse_edited.h"
#include "tests/fuzz/resign.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum call {
	CALL_TDX = 1,
	CALL_LISTS = 2, /* the policy demands them */
	CALL_YOUNG = 4, /* and that they are no older than an hour */
	CALL_OFFLINE = 8,
	CALL_TWICE = 16,
	CALL_BUNDLE = 32, /* of AMD: a product's documents by themselves, of VCEKs or VLEKs */
	CALL_VLEK = 64,
	CALL_V2 = 128, /* a report that does not say of which product */
};
enum habit {
	HABIT_HEX = 1,      /* lists as a PCCS has them */
	HABIT_STALE = 2,    /* files of the cache have another time: two days before */
	HABIT_FUTURE = 4,   /* or a year ahead */
	HABIT_SAME = 8,     /* both rounds by one object, which remembers failures */
	HABIT_FOREIGN = 16, /* the quote's or report's binding is not what was asked for */
	HABIT_GIVEN = 32,   /* the leaf, and a root, came with the call */
};
/* Answers, and behind them files of the cache, in the order of their names. */
enum { ANSWERS = ENDORSE_EDITED_DOCUMENTS + ENDORSE_EDITED_CHAINS, FILES = 8 };
enum { PARTS = ANSWERS + FILES };

static struct edited parts[PARTS];
static struct endorse_edited forged;
static const uint8_t *head;
static size_t len_of_input;
static unsigned round_now;
static char folder[] = "/dev/shm/fuzz-endorsements-XXXXXX";

/* ---- the service ---- */

/* clang-format off */
static const struct { const char *in_url; size_t document; } places[] = {
	{ "/cert_chain", ENDORSE_EDITED_CHAIN },      { "/crl", ENDORSE_EDITED_CRL },
	{ "/vcek/v1/", ENDORSE_EDITED_VCEK },         { "rootcacrl", ENDORSE_EDITED_ROOT_CRL },
	{ "/pckcrl", ENDORSE_EDITED_PCK_CRL },        { "/tcb?", ENDORSE_EDITED_TCB_INFO },
	{ "/qe/identity", ENDORSE_EDITED_IDENTITY },
};
/* clang-format on */

int __wrap_endorse_http_get(struct endorse_http *h, const struct endorse_request *request,
			    int64_t deadline, struct endorse_answer *answer, struct err *e);
int __wrap_endorse_http_get(struct endorse_http *h, const struct endorse_request *request,
			    int64_t deadline, struct endorse_answer *answer, struct err *e)
{
	struct edited *body, *chain;
	size_t i = 0;

	MUST(!(head[0] & CALL_OFFLINE)); /* nothing is asked offline */
	while (i < ARRAY_LEN(places) && !strstr(request->url, places[i].in_url))
		i++;
	MUST(i < ARRAY_LEN(places));
	i = places[i].document;
	if (head[1 + round_now] & 1u << i)
		return err_set(e, i % 2 ? ERR_NOT_FOUND : ERR_UNAVAILABLE, "GET %s: lacking",
			       request->url);
	body = &parts[i];
	chain = i >= ENDORSE_EDITED_PCK_CRL
			? &parts[ENDORSE_EDITED_DOCUMENTS + i - ENDORSE_EDITED_PCK_CRL]
			: NULL;
	/* As endorse_http_get() does it. */
	if (!body->len || body->len > request->max || (request->header && !chain->len))
		return err_set(e, ERR_INVALID, "GET %s: empty, or too large", request->url);
	*answer = (struct endorse_answer){ .body = malloc(body->len + 1), .len = body->len };
	MUST(answer->body);
	memcpy(answer->body, body->bytes, body->len);
	answer->body[body->len] = 0;
	if (!request->header)
		return 0;
	answer->header = strndup((const char *)chain->bytes, chain->len);
	MUST(answer->header);
	answer->header_len = strlen(answer->header);
	return 0;
}

/* ---- the cache ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every file below, by its whole path. */
static size_t list_files(const char *dir, char *names[FILES], size_t count)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	struct stat st;

	while (d && (entry = readdir(d)) && count < FILES) {
		char *path;
		struct err e;

		if (entry->d_name[0] == '.')
			continue;
		MUST(text_format(&path, &e, "%s/%s", dir, entry->d_name) == 0 &&
		     stat(path, &st) == 0);
		if (S_ISDIR(st.st_mode))
			count = list_files(path, names, count);
		else
			names[count++] = strdup(path);
		free(path);
	}
	if (d)
		closedir(d);
	return count;
}

static void edit_cache(struct reader edits)
{
	char *names[FILES];
	size_t count = list_files(folder, names, 0);
	int64_t when = FORGE_AT;
	struct err e;

	qsort(names, count, sizeof(names[0]), compare_names);
	for (size_t i = 0; i < FILES; i++)
		parts[ANSWERS + i].len = 0;
	for (size_t i = 0; i < count; i++) {
		CLEANUP(free) uint8_t *bytes = NULL;
		size_t len;

		MUST(file_read(names[i], EDITED_ROOM, &bytes, &len, &e) == 0);
		edited_take(&parts[ANSWERS + i], bytes, len);
	}
	edit_all(edits, parts, PARTS, ANSWERS, PARTS);
	when += head[3] & HABIT_FUTURE ? 365 * 86400 : -2 * 86400;
	for (size_t i = 0; i < count; i++) {
		const struct timespec times[] = { { .tv_sec = when }, { .tv_sec = when } };
		struct edited *p = &parts[ANSWERS + i];

		if (p->changed)
			MUST(file_write(names[i], p->bytes, p->len, 0600, &e) == 0);
		if (head[3] & (HABIT_STALE | HABIT_FUTURE))
			MUST(utimensat(AT_FDCWD, names[i], times, 0) == 0);
		free(names[i]);
	}
}

static void clear_cache(void)
{
	static bool made;
	struct err e;

	if (!made)
		MUST(mkdtemp(folder));
	else
		MUST(dir_remove(folder, &e) == 0 && mkdir(folder, 0700) == 0);
	made = true;
}

static void leave(void)
{
	struct err e;

	(void)!dir_remove(folder, &e);
}

/* ---- the calls ---- */

static void take_answers(struct reader edits)
{
	for (size_t i = 0; i < ANSWERS; i++) {
		struct span good = forged.documents[i];

		edited_take(&parts[i], good.bytes, good.len);
	}
	if (head[3] & HABIT_HEX)
		for (size_t i = ENDORSE_EDITED_ROOT_CRL; i <= ENDORSE_EDITED_PCK_CRL; i++) {
			char text[2 * EDITED_ROOM + 1];

			hex_encode(parts[i].bytes, parts[i].len, text);
			edited_take(&parts[i], text, strlen(text));
		}
	edit_all(edits, parts, PARTS, 0, ANSWERS);
}

static bool is_good(struct span found, size_t document)
{
	return span_equal(found, forged.documents[document]);
}

/* What counts in the end is what the forge signed, byte for byte where no text surrounds it. */
static void check_yes(const struct verify_input *in, const struct verify_result *result)
{
	MUST(!(head[3] & HABIT_FOREIGN));
	if (head[0] & CALL_TDX) {
		MUST(is_good(in->tdx.endorsements.collateral.root_crl, ENDORSE_EDITED_ROOT_CRL));
		MUST(is_good(in->tdx.endorsements.collateral.pck_crl, ENDORSE_EDITED_PCK_CRL));
		MUST(result->tdx.has_status && result->tdx.status == TDX_UP_TO_DATE);
		return;
	}
	MUST(is_good(in->snp.vek, ENDORSE_EDITED_VCEK));
	MUST(!(head[0] & CALL_LISTS) || in->snp.crl_count == 1);
	for (size_t i = 0; i < in->snp.crl_count; i++)
		MUST(is_good(in->snp.crls[i], ENDORSE_EDITED_CRL));
}

/* A service that has everything, and is asked, leads to a yes. */
static void check_no(const struct verdict *v, const struct err *missing)
{
	if (len_of_input > EDITS_HEAD || head[0] & (CALL_OFFLINE | CALL_YOUNG) || head[1] ||
	    (round_now && head[2]) || head[3] & (HABIT_FOREIGN | HABIT_FUTURE))
		return;
	fprintf(stderr, "%s; missing: %s\n", verdict_reason(v).text, missing->text);
	abort();
}

static void ask(struct endorsements *n)
{
	static struct verdict v;
	static struct verify_result result;
	struct verify_input in;
	struct policy policy;
	struct err e, missing;

	endorse_edited_call(&forged, head[0] & CALL_TDX, head[0] & CALL_V2, &in, &policy);
	policy.require_crl = head[0] & CALL_LISTS;
	policy.crl_max_age = head[0] & CALL_YOUNG ? 3600 : 0;
	if (head[3] & HABIT_FOREIGN)
		in.binding.report_data = forged.other_data;
	if (head[3] & HABIT_GIVEN && !(head[0] & CALL_TDX)) {
		in.snp.vek = forged.documents[ENDORSE_EDITED_VCEK];
		in.snp.need_vcek = true;
	}
	MUST(endorsements_verify(n, &in, &v, &result, &missing, &e) == 0);
	if (verdict_ok(&v))
		check_yes(&in, &result);
	else
		check_no(&v, &missing);
}

/* A product's documents: both certificates and the list are of the root that was named. */
static void ask_bundle(struct endorsements *n)
{
	struct endorse_snp_bundle bundle;
	enum snp_signing_key key = head[0] & CALL_VLEK ? SNP_KEY_VLEK : SNP_KEY_VCEK;
	struct span root = forged.snp.input.trusted_root;
	struct err e;

	if (endorse_snp_bundle(n, SNP_GENOA, key, root, FORGE_AT, &bundle, &e) < 0)
		return;
	MUST(key == SNP_KEY_VCEK && is_good(bundle.crl, ENDORSE_EDITED_CRL) && bundle.folder[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(endorsements_free) struct endorsements *n = NULL;
	const struct endorsements_config config = { .cache = folder,
						    .pcs = "https://pcs.example",
						    .offline = len && bytes[0] & CALL_OFFLINE,
						    .deadline = 5 };
	struct reader edits;
	struct err e;

	if (len < EDITS_HEAD)
		return 0;
	if (!forged.made)
		atexit(leave);
	endorse_edited_make(&forged);
	head = bytes;
	len_of_input = len;
	edits = reader_over(bytes + EDITS_HEAD, len - EDITS_HEAD);
	clear_cache();
	for (round_now = 0; round_now < (head[0] & CALL_TWICE ? 2u : 1u); round_now++) {
		/* The first round's answers are right where there is a second. */
		take_answers(head[0] & CALL_TWICE && !round_now ? reader_over(NULL, 0) : edits);
		if (round_now)
			edit_cache(edits);
		if (!n || !(head[3] & HABIT_SAME)) {
			endorsements_free(n);
			n = NULL;
			MUST(endorsements_new(&config, &n, &e) == 0);
		}
		if (head[0] & CALL_BUNDLE)
			ask_bundle(n);
		else
			ask(n);
		(void)endorsements_wanted(n);
	}
	return 0;
}
