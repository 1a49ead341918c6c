# SPDX-License-Identifier: Apache-2.0
# cases.sh — the use cases, as data: what belongs to whom, and what must come of it. Source it.
#
#   case_NAME sets
#     title        what it is
#     algorithm    the program in the folder NAME of --from; requirements.txt lies beside it
#     makers       programs of this folder that make the data; those of `torch_makers` want torch
#     datasets     OWNER:FILE, each its owner's to send; the provider of the algorithm may be one
#     cache        the one of them that lies where libraries look for what they would download
#     results      files that the consumer must find, which opens.py opens
#     memory       of the virtual machine, in MiB
#     cpus         of the virtual machine; what trains with torch uses two

cases="covid19 fraud-detection rul-turbofan"

case_covid19() {
	title="three hospitals train one classifier of chest pictures"
	algorithm=train.py
	makers=chest torch_makers=weights
	datasets="h1:h1.zip h2:h2.zip h3:h3.zip algorithm:cache.zip" cache=cache.zip
	results=model.pth
	memory=4096 cpus=2
}

case_fraud_detection() {
	title="a model of frauds from a bank's payments"
	algorithm=fraud-detection.py
	makers=cards torch_makers=
	datasets="bank:creditcard.csv" cache=
	results=fraud_model.ubj
	memory=4096
}

case_rul_turbofan() {
	title="how long engines will last, from their owner's records"
	algorithm=rul-training.py
	makers=engines torch_makers=
	datasets="owner:train_FD001.txt owner:test_FD001.txt owner:RUL_FD001.txt" cache=
	results="model.pth scaler.pkl training_history.png"
	memory=4096 cpus=2
}
