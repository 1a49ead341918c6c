/* SPDX-License-Identifier: Apache-2.0 */
/* NV of a TPM that says of it what it likes: ESYS's calls are replaced. */
#include "attestation/provider/provider_tpm_state.h"
#include "tests/unit.h"

static struct {
	uint16_t size;  /* of the index */
	uint16_t fewer; /* bytes than were asked for */
	TPM2_CAP capability;
	uint32_t handles;
	TPM2_HANDLE first;
} played;

enum { INDEX = 0x01c00002 };

static void *taken(size_t size)
{
	void *block = calloc(1, size); /* as ESYS does, for Esys_Free() */

	assert_non_null(block);
	return block;
}

TSS2_RC __wrap_Esys_GetCapability(ESYS_CONTEXT *esys, ESYS_TR a, ESYS_TR b, ESYS_TR c,
				  TPM2_CAP what, UINT32 from, UINT32 count, TPMI_YES_NO *more,
				  TPMS_CAPABILITY_DATA **data);
TSS2_RC __wrap_Esys_GetCapability(ESYS_CONTEXT *esys, ESYS_TR a, ESYS_TR b, ESYS_TR c,
				  TPM2_CAP what, UINT32 from, UINT32 count, TPMI_YES_NO *more,
				  TPMS_CAPABILITY_DATA **data)
{
	*data = taken(sizeof(**data));
	(*data)->capability = played.capability;
	(*data)->data.handles.count = played.handles;
	(*data)->data.handles.handle[0] = played.first;
	return TSS2_RC_SUCCESS;
}

TSS2_RC __wrap_Esys_TR_FromTPMPublic(ESYS_CONTEXT *esys, TPM2_HANDLE handle, ESYS_TR a, ESYS_TR b,
				     ESYS_TR c, ESYS_TR *out);
TSS2_RC __wrap_Esys_TR_FromTPMPublic(ESYS_CONTEXT *esys, TPM2_HANDLE handle, ESYS_TR a, ESYS_TR b,
				     ESYS_TR c, ESYS_TR *out)
{
	*out = 1;
	return TSS2_RC_SUCCESS;
}

TSS2_RC __wrap_Esys_TR_Close(ESYS_CONTEXT *esys, ESYS_TR *handle);
TSS2_RC __wrap_Esys_TR_Close(ESYS_CONTEXT *esys, ESYS_TR *handle)
{
	return TSS2_RC_SUCCESS;
}

TSS2_RC __wrap_Esys_NV_ReadPublic(ESYS_CONTEXT *esys, ESYS_TR index, ESYS_TR a, ESYS_TR b,
				  ESYS_TR c, TPM2B_NV_PUBLIC **area, TPM2B_NAME **name);
TSS2_RC __wrap_Esys_NV_ReadPublic(ESYS_CONTEXT *esys, ESYS_TR index, ESYS_TR a, ESYS_TR b,
				  ESYS_TR c, TPM2B_NV_PUBLIC **area, TPM2B_NAME **name)
{
	*area = taken(sizeof(**area));
	(*area)->nvPublic.dataSize = played.size;
	return TSS2_RC_SUCCESS;
}

TSS2_RC __wrap_Esys_NV_Read(ESYS_CONTEXT *esys, ESYS_TR auth, ESYS_TR index, ESYS_TR a, ESYS_TR b,
			    ESYS_TR c, UINT16 size, UINT16 offset, TPM2B_MAX_NV_BUFFER **data);
TSS2_RC __wrap_Esys_NV_Read(ESYS_CONTEXT *esys, ESYS_TR auth, ESYS_TR index, ESYS_TR a, ESYS_TR b,
			    ESYS_TR c, UINT16 size, UINT16 offset, TPM2B_MAX_NV_BUFFER **data)
{
	*data = taken(sizeof(**data));
	(*data)->size = (uint16_t)(size - played.fewer);
	memset((*data)->buffer, 'c', size);
	return TSS2_RC_SUCCESS;
}

static int read_index(size_t *len, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	struct provider_tpm tpm = { 0 };
	int failed = provider_tpm_nv_read(&tpm, INDEX, &bytes, len, e);

	if (failed)
		assert_null(bytes);
	else
		assert_true(bytes[0] == 'c' && bytes[*len - 1] == 'c');
	return failed;
}

static int usual(void **state)
{
	played.size = 1;
	played.fewer = 0;
	played.capability = TPM2_CAP_HANDLES;
	played.handles = 1;
	played.first = INDEX;
	return 0;
}

static void an_index_has_a_limit(void **state)
{
	static const uint16_t right[] = { 1, 511, 512, 513, TPM_CERT_MAX },
			      wrong[] = { 0, TPM_CERT_MAX + 1, UINT16_MAX };
	struct err e;
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(right); i++) {
		played.size = right[i];
		assert_ok(read_index(&len, &e), e);
		assert_int_equal(len, right[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		played.size = wrong[i];
		assert_refused(read_index(&len, &e), e, ERR_EXHAUSTED, "NV index 0x01c00002 of");
	}
}

static void fewer_bytes_than_were_asked_for_are_refused(void **state)
{
	struct err e;
	size_t len;

	played.size = 600;
	played.fewer = 1;
	assert_refused(read_index(&len, &e), e, ERR_DATA_LOSS, "NV gives 511 bytes of 512");
}

static void an_index_that_is_not_listed_is_not_there(void **state)
{
	struct err e;
	size_t len;

	played.first = INDEX + 1;
	assert_refused(read_index(&len, &e), e, ERR_NOT_FOUND, "no NV index 0x01c00002");
	played.first = INDEX;
	played.handles = 0;
	assert_refused(read_index(&len, &e), e, ERR_NOT_FOUND, "no NV index");
	played.handles = 1;
	played.capability = TPM2_CAP_PCRS;
	assert_refused(read_index(&len, &e), e, ERR_NOT_FOUND, "no NV index");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_index_has_a_limit, usual),
		cmocka_unit_test_setup(fewer_bytes_than_were_asked_for_are_refused, usual),
		cmocka_unit_test_setup(an_index_that_is_not_listed_is_not_there, usual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
