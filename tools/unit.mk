# Copyright (C) the modelguard authors
#
# Builds the unit tests, one program for each t/unit/*.c, twice: plain, and
# with the sanitizers.  Used by the Makefile at the top, in its directory.

BUILD ?= build
SOURCES := ngx_http_modelguard_module
OUT := $(BUILD)/unit

NAMES := $(patsubst t/unit/%.c,%,$(wildcard t/unit/*.c))
OBJECTS := $(patsubst $(SOURCES)/%.c,%.o,$(wildcard $(SOURCES)/modelguard_*.c))
HEADERS := $(wildcard $(SOURCES)/modelguard_*.h t/unit/*.h)

PKG_LIBS := -ljansson -lpcre2-8 -lm -lpthread

FLAGS := -g -Wall -Wextra -Werror -I t/unit -I $(SOURCES)
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer

FLAGS_plain := -O2 $(FLAGS)
FLAGS_asan := -O1 $(FLAGS) $(SANITIZERS)

.PHONY: plain asan

plain: $(addprefix $(OUT)/plain/,$(NAMES))
asan: $(addprefix $(OUT)/asan/,$(NAMES))

# The pure layer is C99; the tests use mmap() and the like.

define variant
$(OUT)/$(1)/% : t/unit/%.c $(OUT)/layer-$(1).a $(HEADERS) tools/unit.mk
	@mkdir -p $$(@D)
	$$(CC) -std=c99 -D_GNU_SOURCE $$(FLAGS_$(1)) -o $$@ $$< \
		$(OUT)/layer-$(1).a $$(PKG_LIBS)

$(OUT)/objs-$(1)/%.o : $(SOURCES)/%.c $(HEADERS) tools/unit.mk
	@mkdir -p $$(@D)
	$$(CC) -std=c99 $$(FLAGS_$(1)) -c -o $$@ $$<

$(OUT)/layer-$(1).a : $(addprefix $(OUT)/objs-$(1)/,$(OBJECTS))
	rm -f $$@
	$$(AR) rcs $$@ $$^
endef

$(eval $(call variant,plain))
$(eval $(call variant,asan))

.SECONDARY:
