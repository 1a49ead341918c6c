/* SPDX-License-Identifier: Apache-2.0 */
/* sev_guest_ask DEVICE: the provider's report from that device over bytes 0 to 63, then its table.
 */
#include "attestation/provider/provider.h"

#include <stdio.h>

int main(int argc, char **argv)
{
	const struct provider_options options = { .paths.sev_guest = argc > 1 ? argv[1] : NULL };
	CLEANUP_PROVIDER_REPORT struct provider_report report = { 0 };
	uint8_t data[PROVIDER_REPORT_DATA_LEN];
	struct err e;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	if (provider_snp_device.probe(&options, &e) < 0 ||
	    provider_snp_device.collect(&options, data, &report, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	fwrite(report.report, 1, report.len, stdout);
	fwrite(report.table, 1, report.table_len, stdout);
	return 0;
}
