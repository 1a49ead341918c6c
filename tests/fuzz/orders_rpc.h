/* SPDX-License-Identifier: Apache-2.0 */
/* orders_rpc.h — numbers in the input of fuzz_rpc_prologue, for the target and for make_calls. */
#pragma once

enum mode { PLAIN, TLS, EXCHANGE, CLIENT_TLS, CLIENT_EXCHANGE, MODES };
enum order { RAW, SHAKE, SAY, LIFT, CLOCK, SHUT, DRAIN, ORDERS };
