/* SPDX-License-Identifier: Apache-2.0 */
/* orders_cli.h — numbers in the input of fuzz_cli_answers, for the target and for make_calls. */
#pragma once

/* Of an answer: a message (answers.h follows), the end of a stream, or else a failure with that code. */
enum { ANSWER_OK = 0, ANSWER_END = 0x80, ANSWER_FAILED = 0x40 };

/* So many lines may be typed. */
enum { CLI_LINES = 67 };
