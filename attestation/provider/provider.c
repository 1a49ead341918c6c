/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/provider/provider.h"

#include <stdlib.h>

const struct provider_paths provider_kernel_paths = {
	.tsm = "/sys/kernel/config/tsm/report",
	.sev_guest = "/dev/sev-guest",
	.measurements = "/sys/devices/virtual/misc/tdx_guest/measurements",
};

const struct provider *const provider_rows[] = {
	&provider_snp_tsm,
	&provider_tdx_tsm,
	&provider_snp_device,
};
const size_t provider_count = ARRAY_LEN(provider_rows);

void provider_report_done(struct provider_report *report)
{
	free(report->report);
	free(report->table);
	*report = (struct provider_report){ 0 };
}

int provider_find(const struct provider_options *options, const struct provider **found,
		  struct err *e)
{
	for (size_t i = 0; i < provider_count; i++) {
		int failed = provider_rows[i]->probe(options, e);

		if (!failed) {
			*found = provider_rows[i];
			return 0;
		}
		if (!err_is(failed, ERR_NOT_FOUND))
			return err_wrap(e, "%s", provider_rows[i]->name);
	}
	return err_set(e, ERR_NOT_FOUND, "no TEE: neither configfs-tsm nor /dev/sev-guest answers");
}
