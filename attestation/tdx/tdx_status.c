/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_status.h"

#include "common/base/cleanup.h"

#include <stddef.h>
#include <string.h>

/* Per status: its name, and what it becomes beside an OutOfDate component (the vendor's QVL,
 * convergeTcbStatus): only what was better than out of date changes. */
static const struct {
	const char *name;
	enum tdx_status beside_out_of_date;
} statuses[TDX_STATUS_COUNT] = {
	[TDX_UP_TO_DATE] = { "UpToDate", TDX_OUT_OF_DATE },
	[TDX_SW_HARDENING_NEEDED] = { "SWHardeningNeeded", TDX_OUT_OF_DATE },
	[TDX_CONFIGURATION_NEEDED] = { "ConfigurationNeeded",
				       TDX_OUT_OF_DATE_CONFIGURATION_NEEDED },
	[TDX_CONFIGURATION_AND_SW_HARDENING_NEEDED] = { "ConfigurationAndSWHardeningNeeded",
							TDX_OUT_OF_DATE_CONFIGURATION_NEEDED },
	[TDX_OUT_OF_DATE] = { "OutOfDate", TDX_OUT_OF_DATE },
	[TDX_OUT_OF_DATE_CONFIGURATION_NEEDED] = { "OutOfDateConfigurationNeeded",
						   TDX_OUT_OF_DATE_CONFIGURATION_NEEDED },
	[TDX_REVOKED] = { "Revoked", TDX_REVOKED },
	/* The relaunch rule never fires beside an OutOfDate QE, and the module is merged before. */
	[TDX_RELAUNCH_ADVISED] = { "TDRelaunchAdvised", TDX_RELAUNCH_ADVISED },
	[TDX_RELAUNCH_ADVISED_CONFIGURATION_NEEDED] = { "TDRelaunchAdvisedConfigurationNeeded",
							TDX_RELAUNCH_ADVISED_CONFIGURATION_NEEDED },
};

const char *tdx_status_name(enum tdx_status status)
{
	return (unsigned)status < TDX_STATUS_COUNT ? statuses[status].name : "unknown";
}

int tdx_status_parse(const char *name, enum tdx_status *status, struct err *e)
{
	for (size_t i = 0; i < TDX_STATUS_COUNT; i++)
		if (strcmp(name, statuses[i].name) == 0) {
			*status = (enum tdx_status)i;
			return 0;
		}
	return err_set(e, ERR_INVALID, "unknown TCB status '%.60s'", name);
}

enum tdx_status tdx_status_merge(enum tdx_status platform, enum tdx_status component)
{
	if (component == TDX_UP_TO_DATE)
		return platform;
	if (component == TDX_OUT_OF_DATE)
		return statuses[platform].beside_out_of_date;
	return TDX_REVOKED; /* and so is whatever a component can't have */
}

/* What a status of a document says is missing. */
enum { HARDENING = 1, CONFIGURATION = 2, UPDATE = 4, TRUST = 8 };

static const unsigned faults[] = {
	[TDX_UP_TO_DATE] = 0,
	[TDX_SW_HARDENING_NEEDED] = HARDENING,
	[TDX_CONFIGURATION_NEEDED] = CONFIGURATION,
	[TDX_CONFIGURATION_AND_SW_HARDENING_NEEDED] = CONFIGURATION | HARDENING,
	[TDX_OUT_OF_DATE] = UPDATE | HARDENING,
	[TDX_OUT_OF_DATE_CONFIGURATION_NEEDED] = UPDATE | CONFIGURATION | HARDENING,
	[TDX_REVOKED] = TRUST | UPDATE | CONFIGURATION | HARDENING,
};

enum tdx_status tdx_status_worse(enum tdx_status a, enum tdx_status b)
{
	if ((size_t)a >= ARRAY_LEN(faults) || (size_t)b >= ARRAY_LEN(faults))
		return TDX_REVOKED;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (((faults[a] | faults[b]) & ~faults[i]) == 0)
			return (enum tdx_status)i;
	return TDX_REVOKED;
}
