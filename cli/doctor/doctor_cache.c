/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_cache.c — what is kept of endorsements, and the clock that all dates are held against; declared in
 * doctor.h. */
#include "attestation/endorse/endorse_cache.h"
#include "attestation/formats/x509_crl.h"
#include "attestation/tdx/tdx_collateral.h"
#include "cli/base/profile.h"
#include "cli/doctor/doctor.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/timestamp.h"
#include "common/preflight/preflight_place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>

enum { GROUPS_MAX = 4096, SKEW = 300 };

/* As each folder of it has to be. */
static const struct preflight_folder mine = { .must_not = S_IWGRP | S_IWOTH,
					      .is_ours = true,
					      .free_bytes = PREFLIGHT_CACHE_FREE_MIN };

/* A clock before the first is behind this program itself; one after the second is behind the last root of AMD
 * and Intel, so that no evidence could be genuine. */
#define CLOCK_FIRST INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define CLOCK_LAST  INT64_C(2524607999) /* 2049-12-31T23:59:59Z */

/* ---- the lists of one group ---- */

struct dates {
	int64_t from, to;
};

static int read_crl(struct span bytes, struct dates *dates, struct err *e)
{
	CLEANUP(x509_crl_free) struct x509_crl *crl = NULL;

	if (x509_crl_load(bytes.bytes, bytes.len, &crl, e) < 0)
		return err_code(e);
	*dates = (struct dates){ crl->this_update, crl->next_update };
	return 0;
}

static int read_tcb_info(struct span bytes, struct dates *dates, struct err *e)
{
	CLEANUP(tdx_tcb_info_free) struct tdx_tcb_info *info = NULL;

	if (tdx_tcb_info_parse(bytes, &info, e) < 0)
		return err_code(e);
	*dates = (struct dates){ info->document.issue_date, info->document.next_update };
	return 0;
}

static int read_qe_identity(struct span bytes, struct dates *dates, struct err *e)
{
	CLEANUP(tdx_qe_identity_free) struct tdx_qe_identity *identity = NULL;

	if (tdx_qe_identity_parse(bytes, &identity, e) < 0)
		return err_code(e);
	*dates = (struct dates){ identity->document.issue_date, identity->document.next_update };
	return 0;
}

static const struct kept {
	const char *file;
	int (*read)(struct span bytes, struct dates *dates, struct err *e);
} lists[] = {
	{ "vcek_crl.der", read_crl },       { "vlek_crl.der", read_crl },
	{ "root_ca_crl.der", read_crl },    { "pck_crl.der", read_crl },
	{ "tcb_info.json", read_tcb_info }, { "qe_identity.json", read_qe_identity },
};

struct stock {
	size_t groups, lists, stale;
	char worst[PREFLIGHT_TEXT_MAX / 2]; /* the first that is over or can't be read */
};

static void remember_newest(struct doctor *d, int64_t issued, const char *group, const char *file)
{
	if (issued <= d->newest)
		return;
	d->newest = issued;
	snprintf(d->newest_file, sizeof(d->newest_file), "%s/%s", group, file);
}

static void look_list(struct doctor *d, const struct endorse_group *group, const struct kept *kept,
		      struct stock *stock)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	struct dates dates;
	struct err e;
	char date[TIMESTAMP_TEXT_MAX];
	int64_t written;
	size_t len;

	if (endorse_group_read(group, kept->file, X509_CRL_MAX, &bytes, &len, &written, &e) < 0)
		return;
	stock->lists++;
	if (kept->read((struct span){ bytes, len }, &dates, &e) < 0) {
		if (!stock->stale++)
			snprintf(stock->worst, sizeof(stock->worst), "'%.150s/%s' can't be read",
				 group->folder, kept->file);
		return;
	}
	remember_newest(d, dates.from, group->folder, kept->file);
	if (dates.to >= d->now)
		return;
	timestamp_format(dates.to, date);
	if (!stock->stale++)
		snprintf(stock->worst, sizeof(stock->worst), "'%.150s/%s' is over since %s",
			 group->folder, kept->file, date);
}

static int look_group(struct doctor *d, const char *folder, struct stock *stock, struct err *e)
{
	CLEANUP(free) char *path = strdup(folder);
	struct endorse_group group = { .folder = path, .lock = -1 };
	char found[PREFLIGHT_TEXT_MAX];

	if (!path)
		return err_nomem(e);
	if (preflight_folder(folder, &mine, found, e) < 0)
		return err_code(e);
	stock->groups++;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		look_list(d, &group, &lists[i], stock);
	return 0;
}

DEFINE_CLEANUP(DIR *, closedir)

static int look_vendor(struct doctor *d, const char *cache, const char *vendor, struct stock *stock,
		       struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(closedir) DIR *dir = NULL;
	char found[PREFLIGHT_TEXT_MAX];
	const struct dirent *item;
	int more;

	if (text_format(&path, e, "%s/%s", cache, vendor) < 0)
		return err_code(e);
	dir = dir_entries(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (!dir)
		return errno == ENOENT ? 0 : err_errno(e, "'%s'", path);
	if (preflight_folder(path, &mine, found, e) < 0)
		return err_code(e);
	while ((more = dir_next(dir, &item, e)) > 0 && stock->groups < GROUPS_MAX) {
		CLEANUP(free) char *group = NULL;

		if (text_format(&group, e, "%s/%s", path, item->d_name) < 0 ||
		    look_group(d, group, stock, e) < 0)
			return err_code(e);
	}
	return more < 0 ? err_code(e) : 0;
}

static int tell_stock(struct doctor *d, const char *folder, const struct stock *stock,
		      char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	if (stock->stale && d->offline)
		return err_set(e, ERR_PRECONDITION, "%s, and nothing is fetched offline",
			       stock->worst);
	if (stock->stale)
		return preflight_found(found,
				       "'%.120s': %zu of %zu lists have to be fetched again (%s)",
				       folder, stock->stale, stock->lists, stock->worst);
	return preflight_found(found, "'%s' has %zu lists, all current", folder, stock->lists);
}

int doctor_cache(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	struct doctor *d = subject;
	CLEANUP(free) char *folder = NULL;
	struct stock stock = { .groups = 0 };
	struct stat about;

	d->remedy[0] = '\0';
	if (endorse_cache_folder(profile_setting(d->cli, NULL, "COCOS_CACHE"), &folder, e) < 0 ||
	    preflight_folder(folder, &mine, found, e) < 0)
		return err_code(e);
	if (stat(folder, &about) < 0)
		return PREFLIGHT_OK; /* `found` says that it can be made */
	if (look_vendor(d, folder, "snp", &stock, e) < 0 ||
	    look_vendor(d, folder, "tdx", &stock, e) < 0)
		return err_code(e);
	return tell_stock(d, folder, &stock, found, e);
}

/* ---- the clock ---- */

/* Whether something keeps the kernel's clock right; what a container may not ask is not held against it. */
static const char *kept_right(void)
{
	struct timex t = { .modes = 0 };
	int state = adjtimex(&t);

	return state < 0             ? ""
	       : state == TIME_ERROR ? ", but nothing keeps it right (NTP)"
				     : ", and something keeps it right";
}

int doctor_clock(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	struct doctor *d = subject;
	char now[TIMESTAMP_TEXT_MAX], issued[TIMESTAMP_TEXT_MAX];

	d->remedy[0] = '\0';
	timestamp_format(d->now, now);
	if (d->now < CLOCK_FIRST)
		return err_set(e, ERR_PRECONDITION,
			       "it says %s, which is before this program was made", now);
	if (d->now > CLOCK_LAST)
		return err_set(e, ERR_PRECONDITION,
			       "it says %s, when AMD's and Intel's roots are over", now);
	timestamp_format(d->newest, issued);
	if (d->newest > d->now + SKEW)
		return err_set(e, ERR_PRECONDITION, "it says %s, but '%s' was issued at %s", now,
			       d->newest_file, issued);
	return preflight_found(found, "%s%s", now, kept_right());
}
