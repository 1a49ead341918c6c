/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h — the rows that the cmd_*.c files define. */
#pragma once

#include "cli/base/command.h"

/* cmd_keys.c, cmd_key_fingerprint.c, cmd_checksum.c */
extern const struct command cmd_keys, cmd_key_fingerprint, cmd_checksum;

/* cmd_manifest.c, cmd_manifest_check.c, cmd_manifest_diff.c */
extern const struct command cmd_manifest_show, cmd_manifest_check, cmd_manifest_diff;

/* cmd_profile.c */
extern const struct command cmd_profile_add, cmd_profile_use, cmd_profile_list, cmd_profile_show,
	cmd_profile_remove;

/* cmd_algo.c, cmd_data.c, cmd_logs.c, cmd_result.c, cmd_status.c */
extern const struct command cmd_algo, cmd_data, cmd_logs, cmd_result, cmd_status;

/* cmd_receipt_get.c */
extern const struct command cmd_receipt_get;
/* cmd_receipt.c */
extern const struct command cmd_receipt_verify, cmd_receipt_show;

/* cmd_attestation_get.c, cmd_ima_measurements.c */
extern const struct command cmd_attestation_get, cmd_ima_measurements;

/* cmd_vm.c */
extern const struct command cmd_create_vm, cmd_remove_vm, cmd_vm_remove, cmd_vm_strays,
	cmd_vm_adopt;

/* cmd_image.c */
extern const struct command cmd_image_list, cmd_image_default, cmd_image_remove;

/* cmd_host.c */
extern const struct command cmd_host_list, cmd_host_show, cmd_host_add, cmd_host_drain,
	cmd_host_undrain, cmd_host_remove;

/* cmd_vm_console.c */
extern const struct command cmd_vm_console;

/* cmd_vm_list.c */
extern const struct command cmd_vm_list, cmd_vm_show, cmd_vm_watch;

/* cmd_computation_create.c, cmd_computation.c, cmd_computation_logs.c, cmd_computation_transfer.c */
extern const struct command cmd_computation_create, cmd_computation_list, cmd_computation_show,
	cmd_computation_run, cmd_computation_retry, cmd_computation_stop, cmd_computation_remove,
	cmd_computation_logs, cmd_computation_manifest, cmd_computation_import,
	cmd_computation_export, cmd_computation_update;
/* cmd_computation_rename.c */
extern const struct command cmd_computation_rename;
/* cmd_asset.c */
extern const struct command cmd_asset_register, cmd_asset_list, cmd_asset_show, cmd_asset_update,
	cmd_asset_link, cmd_asset_remove;
/* cmd_computation_confirm.c */
extern const struct command cmd_computation_confirm;

/* cmd_audit.c, cmd_audit_file.c */
extern const struct command cmd_audit_list, cmd_audit_follow, cmd_audit_export, cmd_audit_verify,
	cmd_audit_trim;

/* cmd_journal_audit.c, cmd_journal_get.c, cmd_journal_verify.c, cmd_journal_witness.c */
extern const struct command cmd_journal_get, cmd_journal_follow, cmd_journal_verify,
	cmd_journal_witness, cmd_journal_audit;

/* cmd_cvm.c */
extern const struct command cmd_cvm_list, cmd_cvm_show, cmd_cvm_release;

/* cmd_cvm_console.c */
extern const struct command cmd_cvm_console;

/* cmd_cvm_made.c */
extern const struct command cmd_cvm_create, cmd_cvm_remove;

/* cmd_key.c */
extern const struct command cmd_key_register, cmd_key_list, cmd_key_show, cmd_key_retire;

/* cmd_user.c, cmd_user_password.c, cmd_session.c, cmd_token.c, cmd_login.c, cmd_role.c */
extern const struct command cmd_user_add, cmd_user_list, cmd_user_suspend, cmd_user_auditor,
	cmd_user_remove, cmd_user_password, cmd_user_link, cmd_user_remove_factor,
	cmd_user_remove_passkeys, cmd_user_identities, cmd_user_remove_identity, cmd_login,
	cmd_logout, cmd_session_list, cmd_session_revoke, cmd_whoami, cmd_token_add, cmd_token_list,
	cmd_token_revoke, cmd_role_list, cmd_role_give, cmd_role_take, cmd_role_define;

/* cmd_workflow.c, cmd_workflow_result.c, cmd_workflow_submit.c, cmd_executor.c */
extern const struct command cmd_workflow_submit, cmd_workflow_list, cmd_workflow_get,
	cmd_workflow_cancel, cmd_workflow_decrypt, cmd_workflow_result, cmd_workflow_check,
	cmd_executor_run, cmd_executor_key, cmd_executor_list, cmd_executor_remove;

/* cmd_usage.c */
extern const struct command cmd_usage;

/* cmd_workspace.c, cmd_workspace_member.c */
extern const struct command cmd_workspace_add, cmd_workspace_list, cmd_workspace_show,
	cmd_workspace_rename, cmd_workspace_remove, cmd_workspace_leave, cmd_workspace_transfer,
	cmd_workspace_member_list, cmd_workspace_member_add, cmd_workspace_member_role,
	cmd_workspace_member_suspend, cmd_workspace_member_resume, cmd_workspace_member_remove;

/* cmd_certificate.c, cmd_certificate_issue.c, cmd_certificate_renew.c */
extern const struct command cmd_certificate_token, cmd_certificate_issue, cmd_certificate_renew,
	cmd_certificate_list, cmd_certificate_revoke, cmd_certificate_authority;
/* cmd_webhook.c */
extern const struct command cmd_webhook_create, cmd_webhook_list, cmd_webhook_show,
	cmd_webhook_deliveries, cmd_webhook_redeliver, cmd_webhook_enable, cmd_webhook_disable,
	cmd_webhook_rotate, cmd_webhook_delete;
/* cmd_billing.c */
extern const struct command cmd_billing_create, cmd_billing_list, cmd_billing_show,
	cmd_billing_plan, cmd_billing_give, cmd_billing_take, cmd_billing_remove, cmd_billing_plans;
/* cmd_invitation.c */
extern const struct command cmd_invitation_create, cmd_invitation_list, cmd_invitation_revoke,
	cmd_invitation_accept;

/* cmd_sevsnpmeasure.c, cmd_igvmmeasure.c, cmd_tdxmeasure.c, cmd_idblock.c */
extern const struct command cmd_sevsnpmeasure, cmd_igvmmeasure, cmd_tdxmeasure, cmd_idblock_create;

/* cmd_policy_create.c */
extern const struct command cmd_policy_create_snp, cmd_policy_create_tdx;

/* cmd_policy_create_corim.c */
extern const struct command cmd_policy_create_corim_snp, cmd_policy_create_corim_tdx;

/* cmd_ca_bundle.c */
extern const struct command cmd_ca_bundle;

/* cmd_doctor.c */
extern const struct command cmd_doctor;

/* cmd_about.c */
extern const struct command cmd_complete, cmd_completion, cmd_help, cmd_version;

/* cmd_attestation_validate.c, cmd_attestation_check.c, cmd_attestation_show.c,
 * cmd_policy_validate.c */
extern const struct command cmd_attestation_validate, cmd_attestation_check, cmd_attestation_show,
	cmd_attestation_explain, cmd_explain, cmd_policy_validate;

/* cmd_policy_create_image.c, cmd_policy_download.c */
extern const struct command cmd_policy_create, cmd_policy_download;

/* cmd_policy_edit.c */
extern const struct command cmd_policy_measurement, cmd_backend_measurement, cmd_policy_hostdata,
	cmd_policy_extend;
