# Copyright (C) the modelguard authors
#
# The pure layer for fuzz targets; called by tools/fuzz.sh.

NAMES := $(patsubst $(SOURCES)/%.c,%,$(wildcard $(SOURCES)/modelguard_*.c))
HEADERS := $(wildcard $(SOURCES)/modelguard_*.h)

$(OUT)/layer.a : $(addprefix $(OUT)/,$(addsuffix .o,$(NAMES)))
	rm -f $@
	$(AR) rcs $@ $^

$(OUT)/%.o : $(SOURCES)/%.c $(HEADERS) $(firstword $(MAKEFILE_LIST))
	@mkdir -p $(@D)
	$(CC) -std=c99 $(FLAGS) -c -o $@ $<
