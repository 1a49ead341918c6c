/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse_config.h — where endorsements come from and where they are kept.
 */
#pragma once

#include <stdbool.h>

#define ENDORSEMENTS_KDS      "https://kdsintf.amd.com"
#define ENDORSEMENTS_PCS      "https://api.trustedservices.intel.com"
#define ENDORSEMENTS_ROOT_CRL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

enum { ENDORSEMENTS_DEADLINE = 60, ENDORSEMENTS_DEADLINE_MAX = 600 };

/* Texts are borrowed and have to outlive the object. */
struct endorsements_config {
	const char *cache; /* the folder; NULL: $XDG_CACHE_HOME/cocos, or ~/.cache/cocos */

	/* Base addresses, "https://HOST[:PORT][/PATH]", without the part that the services' own
	 * documents give; NULL: AMD's and Intel's. http:// is taken for this machine (127.0.0.1,
	 * ::1, localhost) only. A caching service for PCS (PCCS) or a mirror works; root CRLs come
	 * from it as well, then (.../sgx/certification/v4/rootcacrl). */
	const char *kds, *pcs;

	const char *ca;    /* file of certificates to verify the servers by; NULL: the system's */
	bool offline;      /* the cache alone */
	unsigned deadline; /* seconds for all that one call fetches; 0: ENDORSEMENTS_DEADLINE */
};
