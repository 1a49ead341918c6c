/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt_ssh.h — hosts that are reached by SSH: libvirt starts an ssh for them, which must neither ask anybody nor fail
 * without a word.
 */
#pragma once

#include "common/base/err.h"

enum { VIRT_SSH_URI_MAX = 1024 }; /* with the zero; a host's (HOST_URI_MAX) and what is added */

/* The URI as libvirt is to have it. One of qemu+ssh:// gets no_tty=1: ssh asks for no password and takes no unknown host
 * key, whatever terminal this program has. Others are copied. ERR_PRECONDITION: libvirt could not start an ssh, since
 * this process is root without the right to give up rights; ERR_EXHAUSTED: the URI is longer than that. */
int virt_ssh_uri(const char *uri, char out[VIRT_SSH_URI_MAX], struct err *e) MUST_CHECK;
