# Copyright (C) the modelguard authors

"""Makes a language model of 2 layers with random weights and a vocabulary of
bytes and letters, as a GGUF file: what it says is nonsense, but it says it in
tokens with log probabilities.

    gguf_model.py PATH"""

import sys

import gguf
import numpy

WIDTH, HEADS, LAYERS, INNER, CONTEXT = 64, 4, 2, 128, 512

TEMPLATE = ("{% for message in messages %}{{ message['content'] }}"
            "{% endfor %}")


def vocabulary():
    """Of SentencePiece's kind: three control tokens, all bytes, and a few
    words."""

    kinds = gguf.TokenType
    tokens = [("<unk>", 0.0, kinds.UNKNOWN), ("<s>", 0.0, kinds.CONTROL),
              ("</s>", 0.0, kinds.CONTROL)]

    tokens += [("<0x%02X>" % byte, 0.0, kinds.BYTE) for byte in range(256)]

    words = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words += ["\u2581" + word for word in words] + ["\u2581"]

    return tokens + [(word, -1.0 - number, kinds.NORMAL)
                     for number, word in enumerate(words)]


def main():
    writer = gguf.GGUFWriter(sys.argv[1], "llama")
    tokens = vocabulary()
    random = numpy.random.default_rng(1)

    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)

    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _, _ in tokens])
    writer.add_token_scores([score for _, score, _ in tokens])
    writer.add_token_types([int(kind) for _, _, kind in tokens])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)

    def weights(name, *shape):
        writer.add_tensor(name + ".weight", random.normal(
            0, 0.4, shape).astype(numpy.float32))

    def ones(name):
        writer.add_tensor(name + ".weight", numpy.ones(WIDTH, numpy.float32))

    weights("token_embd", len(tokens), WIDTH)
    weights("output", len(tokens), WIDTH)
    ones("output_norm")

    for layer in range(LAYERS):
        block = "blk.%d." % layer

        ones(block + "attn_norm")
        ones(block + "ffn_norm")

        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weights(block + name, WIDTH, WIDTH)

        weights(block + "ffn_gate", INNER, WIDTH)
        weights(block + "ffn_up", INNER, WIDTH)
        weights(block + "ffn_down", WIDTH, INNER)

    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()
