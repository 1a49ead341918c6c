/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/going.h"

#include "cli/base/progress.h"
#include "common/manifest/manifest.h"

#include <inttypes.h>

enum { BRIEF_SECONDS = 10 };

const Cvms__UploadProgress *going_upload(const Cvms__Progress *p, size_t asset)
{
	/* More than a manifest has: none of it is believed. */
	if (!p || p->n_uploads > MANIFEST_DATASETS_MAX + 1)
		return NULL;
	for (size_t i = 0; i < p->n_uploads; i++)
		if (p->uploads[i]->asset == asset)
			return p->uploads[i];
	return NULL;
}

void going_text(const Cvms__UploadProgress *u, char text[GOING_TEXT_MAX])
{
	char here[32], all[32];

	text[0] = '\0';
	if (!u)
		return;
	progress_size(u->received, here, sizeof(here));
	progress_size(u->expected, all, sizeof(all));
	if (u->expected)
		snprintf(text, GOING_TEXT_MAX, "%s of %s are here", here, all);
	else
		snprintf(text, GOING_TEXT_MAX, "%s are here", here);
}

void going_tenths(const Cvms__UploadProgress *u, char text[GOING_TEXT_MAX])
{
	char all[32];

	text[0] = '\0';
	if (!u || !u->expected || u->received > u->expected)
		return;
	progress_size(u->expected, all, sizeof(all));
	snprintf(text, GOING_TEXT_MAX, "%d %% of %s are here",
		 (int)((double)u->received / (double)u->expected * 10) * 10, all);
}

void going_print_run(FILE *out, int width, const Cvms__Progress *p, bool brief)
{
	const Cvms__RunProgress *run = p ? p->run : NULL;

	if (!run)
		return;
	if (brief)
		fprintf(out,
			"%-*s%" PRIu64 " s of processor time, at most %" PRIu64 " MiB so far\n",
			width, "run", run->processor_seconds / BRIEF_SECONDS * BRIEF_SECONDS,
			run->memory_peak_mib);
	else
		fprintf(out,
			"%-*s%" PRIu64 " s of processor time, %" PRIu64
			" MiB of memory (at most %" PRIu64 " MiB so far, of %" PRIu64 " MiB)\n",
			width, "run", run->processor_seconds, run->memory_mib, run->memory_peak_mib,
			run->memory_limit_mib);
}

void going_json_upload(struct json_out *out, const Cvms__UploadProgress *u)
{
	json_out_number(out, "bytes_received", u->received);
	if (u->expected)
		json_out_number(out, "bytes_expected", u->expected);
}

void going_json_run(struct json_out *out, const Cvms__Progress *p)
{
	const Cvms__RunProgress *run = p ? p->run : NULL;

	if (!run)
		return;
	json_out_object(out, "run");
	json_out_number(out, "memory_mib", run->memory_mib);
	json_out_number(out, "memory_peak_mib", run->memory_peak_mib);
	json_out_number(out, "memory_limit_mib", run->memory_limit_mib);
	json_out_number(out, "processor_seconds", run->processor_seconds);
	json_out_end(out);
}

void going_to_json(struct json_out *out, const Cvms__Progress *p)
{
	json_out_list(out, "uploads");
	for (size_t i = 0; i < p->n_uploads; i++) {
		json_out_object(out, NULL);
		json_out_number(out, "asset", p->uploads[i]->asset);
		going_json_upload(out, p->uploads[i]);
		if (p->uploads[i]->waits)
			json_out_bool(out, "waits", true);
		json_out_end(out);
	}
	json_out_end(out);
	going_json_run(out, p);
}
