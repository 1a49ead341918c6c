/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c — every command, one line each, in the order in which help lists them. */
#include "cli/cmd/commands.h"

const struct command *const commands[] = {
	&cmd_keys,
	&cmd_checksum,

	&cmd_algo,
	&cmd_data,
	&cmd_result,
	&cmd_logs,
	&cmd_status,
	&cmd_ima_measurements,

	&cmd_create_vm,
	&cmd_remove_vm,
	&cmd_vm_strays,
	&cmd_vm_adopt,

	&cmd_computation_create,
	&cmd_computation_list,
	&cmd_computation_show,
	&cmd_computation_run,
	&cmd_computation_stop,
	&cmd_computation_remove,
	&cmd_computation_logs,
	&cmd_computation_manifest,
	&cmd_journal_get,
	&cmd_journal_follow,
	&cmd_journal_verify,
	&cmd_cvm_list,
	&cmd_cvm_show,
	&cmd_cvm_release,

	&cmd_sevsnpmeasure,
	&cmd_igvmmeasure,
	&cmd_tdxmeasure,
	&cmd_idblock_create,

	&cmd_attestation_get,
	&cmd_attestation_validate,
	&cmd_attestation_check,
	&cmd_attestation_show,
	&cmd_attestation_explain,
	&cmd_policy_create_snp,
	&cmd_policy_create_tdx,
	&cmd_policy_create,
	&cmd_policy_download,
	&cmd_policy_create_corim_snp,
	&cmd_policy_create_corim_tdx,
	&cmd_policy_validate,
	&cmd_policy_measurement,
	&cmd_backend_measurement,
	&cmd_policy_hostdata,
	&cmd_policy_extend,
	&cmd_ca_bundle,

	&cmd_complete,
	&cmd_completion,
	&cmd_help,
	&cmd_version,
	NULL,
};
