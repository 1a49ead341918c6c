/* SPDX-License-Identifier: Apache-2.0 */
/* tdx_root.h — the root of corpus/tdx_appraise; written by make_corpus.c. */
#pragma once

#define TDX_FUZZ_AT 1781481600

static const char tdx_fuzz_root[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIB5TCCAYugAwIBAgIBZDAKBggqhkjOPQQDAjBoMRowGAYDVQQDDBFJbnRlbCBT\n"
	"R1ggUm9vdCBDQTEaMBgGA1UECgwRSW50ZWwgQ29ycG9yYXRpb24xFDASBgNVBAcM\n"
	"C1NhbnRhIENsYXJhMQswCQYDVQQIDAJDQTELMAkGA1UEBhMCVVMwHhcNMjUwNjE1\n"
	"MDAwMDAwWhcNMjcwNjE1MDAwMDAwWjBoMRowGAYDVQQDDBFJbnRlbCBTR1ggUm9v\n"
	"dCBDQTEaMBgGA1UECgwRSW50ZWwgQ29ycG9yYXRpb24xFDASBgNVBAcMC1NhbnRh\n"
	"IENsYXJhMQswCQYDVQQIDAJDQTELMAkGA1UEBhMCVVMwWTATBgcqhkjOPQIBBggq\n"
	"hkjOPQMBBwNCAARByWk6RZFhtpWhWdozuqo+wrLECOApmQsjbXzb/lo7+rc5WAFz\n"
	"be4x0tUqKnDYiXhP90BU+KIYFzEw4dCV5jqVoyYwJDASBgNVHRMBAf8ECDAGAQH/\n"
	"AgEBMA4GA1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNIADBFAiBh0lC4ywso9TyX\n"
	"b5D0tgdnoBjOU6qascyWDu8Yv/AoxQIhALl9NrZG/0p+M77SBFiulYkkuFYQSeyr\n"
	"tAdMbavGaNoa\n"
	"-----END CERTIFICATE-----\n";
