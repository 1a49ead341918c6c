/* SPDX-License-Identifier: Apache-2.0 */
/* receipt_image.c — which image ran, as each kind of evidence says it. */
#include "attestation/envelope/tpm_attestation.h"
#include "attestation/receipt/receipt.h"
#include "attestation/snp/snp_appraise.h"
#include "attestation/tdx/tdx_quote.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)SNP_DIGEST_LEN <= (int)RECEIPT_IMAGE_MAX &&
		       (int)TDX_MR_LEN <= (int)RECEIPT_IMAGE_MAX,
	       "every measurement fits");

static int image_of_report(struct span bytes, uint8_t *image, size_t *len, struct err *e)
{
	struct snp_report report;

	if (snp_report_parse(bytes.bytes, bytes.len, &report, e) < 0)
		return err_code(e);
	memcpy(image, report.measurement, sizeof(report.measurement));
	*len = sizeof(report.measurement);
	return 0;
}

static int image_snp(struct span evidence, uint8_t *image, size_t *len, struct err *e)
{
	struct span report, table;

	snp_evidence_split(evidence, &report, &table);
	return image_of_report(report, image, len, e);
}

static int image_tdx(struct span evidence, uint8_t *image, size_t *len, struct err *e)
{
	struct tdx_quote quote;

	if (tdx_quote_parse(evidence.bytes, evidence.len, &quote, e) < 0)
		return err_code(e);
	memcpy(image, quote.body.mrtd, sizeof(quote.body.mrtd));
	*len = sizeof(quote.body.mrtd);
	return 0;
}

/* A TPM's registers are not one measurement; the quote is in the evidence. */
static int image_vtpm(struct span evidence, uint8_t *image, size_t *len, struct err *e)
{
	*len = 0;
	return 0;
}

static int image_snp_vtpm(struct span evidence, uint8_t *image, size_t *len, struct err *e)
{
	CLEANUP(free) struct tpm_evidence *tpm = calloc(1, sizeof(*tpm));
	CLEANUP(free) struct sevsnp_attestation *snp = calloc(1, sizeof(*snp));

	if (!tpm || !snp)
		return err_nomem(e);
	if (tpm_attestation_parse(evidence, tpm, e) < 0 ||
	    sevsnp_attestation_parse(tpm->sev_snp, snp, e) < 0)
		return err_code(e);
	return image_of_report((struct span){ snp->report, sizeof(snp->report) }, image, len, e);
}

/* By kind; no agent makes evidence of one that is not here. */
static int (*const images[])(struct span evidence, uint8_t *image, size_t *len, struct err *e) = {
	[EVIDENCE_SNP] = image_snp,   [EVIDENCE_TDX] = image_tdx,
	[EVIDENCE_VTPM] = image_vtpm, [EVIDENCE_SNP_VTPM] = image_snp_vtpm,
	[EVIDENCE_TDX_VTPM] = NULL,
};
_Static_assert(ARRAY_LEN(images) == EVIDENCE_HARDWARE_COUNT, "one for each that hardware makes");

int receipt_image(enum evidence_kind kind, struct span evidence, uint8_t image[RECEIPT_IMAGE_MAX],
		  size_t *len, struct err *e)
{
	if (kind >= ARRAY_LEN(images) || !images[kind])
		return err_set(e, ERR_INVALID, "receipt: no agent makes evidence of kind %s",
			       evidence_kind_name(kind));
	if (images[kind](evidence, image, len, e) < 0)
		return err_wrap(e, "a receipt's evidence");
	return 0;
}
