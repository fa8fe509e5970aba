# Every target is handed to ./run, which works without make, too: make demo = ./run demo, make = ./run help.
# Arguments: make test ARGS="jobs -k quota"
.DEFAULT_GOAL := help

.PHONY: help
help:
	@./run help

Makefile: ;

%: FORCE
	@./run $@ $(ARGS)

.PHONY: FORCE
FORCE:
