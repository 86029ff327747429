# Copyright (C) the modelguard authors
#
# Builds the unit tests, one program for each t/unit/*.c, twice: plain, and
# with the sanitizers; and those that scan also for the two lower levels of
# vector instructions, NAME-portable and NAME-sse2 among the plain ones.  Used
# by the Makefile at the top, in its directory.

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

.PHONY: plain asan programs

LEVELS := portable sse2
LEVEL_NAMES := simd run oracle json_skip rewrite

FLAGS_portable := $(FLAGS_plain) -DMODELGUARD_NO_SIMD
FLAGS_sse2 := $(FLAGS_plain) -DMODELGUARD_SIMD_MAX=1

PROGRAMS := $(NAMES) $(foreach level,$(LEVELS),$(LEVEL_NAMES:%=%-$(level)))

plain: $(addprefix $(OUT)/plain/,$(PROGRAMS))
asan: $(addprefix $(OUT)/asan/,$(NAMES))

programs:  # the paths of what "plain" builds
	@printf '%s\n' $(addprefix $(OUT)/plain/,$(PROGRAMS))

# The pure layer is C99; the tests use mmap() and the like.

define variant
$(OUT)/$(2) : t/unit/%.c $(OUT)/layer-$(1).a $(HEADERS) tools/unit.mk
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

$(eval $(call variant,plain,plain/%))
$(eval $(call variant,asan,asan/%))
$(eval $(call variant,portable,plain/%-portable))
$(eval $(call variant,sse2,plain/%-sse2))

.SECONDARY:
