/* SPDX-License-Identifier: Apache-2.0 */
/* Intel TDX through configfs-tsm: the quote, which the host's quoting enclave signs. */
#include "attestation/provider/provider.h"
#include "attestation/provider/provider_rtmr.h"
#include "attestation/provider/provider_tsm.h"
#include "attestation/tdx/tdx_quote.h"

#include <string.h>

static int probe(const struct provider_options *options, struct err *e)
{
	char name[TSM_NAME_MAX];

	if (!options->paths.tsm)
		return err_set(e, ERR_NOT_FOUND, "not looked for");
	if (tsm_provider(options->paths.tsm, name, e) < 0)
		return err_code(e);
	return strcmp(name, "tdx_guest") == 0
		       ? 0
		       : err_set(e, ERR_NOT_FOUND, "configfs-tsm is of '%s'", name);
}

static int collect(const struct provider_options *options, const uint8_t *report_data,
		   struct provider_report *out, struct err *e)
{
	CLEANUP_TSM_ANSWER struct tsm_answer answer = { 0 };
	const struct tsm_request request = {
		.root = options->paths.tsm,
		.provider = "tdx_guest",
		.inblob = report_data,
	};
	struct tdx_quote quote;

	if (tsm_collect(&request, &answer, e) < 0)
		return err_code(e);
	if (tdx_quote_parse(answer.outblob, answer.outblob_len, &quote, e) < 0) {
		e->code = ERR_DATA_LOSS;
		return err_wrap(e, "the device's quote");
	}
	if (memcmp(quote.body.reportdata, report_data, sizeof(quote.body.reportdata)) != 0)
		return err_set(e, ERR_DATA_LOSS, "the device answers with another request's quote");
	out->len = answer.outblob_len - quote.padding;
	out->report = TAKE_PTR(answer.outblob);
	out->table = NULL;
	out->table_len = 0;
	return 0;
}

static int launch(const struct provider_options *options, const uint8_t *report_data,
		  struct provider_launch *out, struct err *e)
{
	(void)report_data;
	out->len = 0;
	if (!rtmr_is_there(options->paths.measurements))
		return 0;
	if (rtmr_read_mrconfigid(options->paths.measurements, out->bytes, e) < 0)
		return err_code(e);
	out->len = RTMR_LEN;
	return 0;
}

const struct provider provider_tdx_tsm = {
	.name = "TDX by configfs-tsm",
	.platform = EVIDENCE_TDX,
	.probe = probe,
	.collect = collect,
	.launch = launch,
};
