"""Writes `corpus/models/bert-6.onnx`: the forward pass of a six-layer BERT with mean pooling, without its weights.

    python scripts/make_graph.py        # needs `pip install onnx`; nothing else does

`assistant/embed.py` hands the weights over from the model's own safetensors file when it opens a session, so there is no second copy of them to keep, to
hash or to lose. One text goes through at a time: nothing is padded, and a vector does not depend on its neighbours. The fused operators are onnxruntime's.
"""

from pathlib import Path

from onnx import ModelProto, NodeProto, TensorProto, helper

LAYERS, HEADS, WIDTH, INNER, WORDS, PLACES = 6, 12, 384, 1536, 30522, 512
FUSED = "com.microsoft"
OUT = Path(__file__).resolve().parents[1] / "corpus" / "models" / "bert-6.onnx"


def weight(name: str, *shape: int) -> TensorProto:
    """A tensor whose numbers come later."""
    tensor = TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="given at run time")
    return tensor


def fused(operator: str, inputs: list[str], output: str, **attributes: object) -> NodeProto:
    """A node of one of onnxruntime's own operators."""
    return helper.make_node(operator, inputs, [output], domain=FUSED, **attributes)


def graph() -> ModelProto:
    """Token numbers of one text in, its unit vector out."""
    weights = [weight("words", WORDS, WIDTH), weight("places", PLACES, WIDTH), weight("norm.weight", WIDTH), weight("norm.bias", WIDTH)]
    norm = {"epsilon": 1e-12}
    nodes = [
        helper.make_node("EmbedLayerNormalization", ["ids", "", "words", "places", "", "norm.weight", "norm.bias"], ["x0", "unmasked"], domain=FUSED, **norm)
    ]
    for layer in range(LAYERS):
        at, x = f"{layer}.", f"x{layer}"
        for name, shape in (("qkv", (WIDTH, 3 * WIDTH)), ("joined", (WIDTH, WIDTH)), ("inner", (WIDTH, INNER)), ("outer", (INNER, WIDTH))):
            weights += [weight(f"{at}{name}.weight", *shape), weight(f"{at}{name}.bias", shape[1])]
        for name in ("joined.norm", "outer.norm"):
            weights += [weight(f"{at}{name}.weight", WIDTH), weight(f"{at}{name}.bias", WIDTH)]
        nodes += [
            fused("Attention", [x, f"{at}qkv.weight", f"{at}qkv.bias"], f"{at}mixed", num_heads=HEADS),
            helper.make_node("MatMul", [f"{at}mixed", f"{at}joined.weight"], [f"{at}joined"]),
            fused("SkipLayerNormalization", [f"{at}joined", x, f"{at}joined.norm.weight", f"{at}joined.norm.bias", f"{at}joined.bias"], f"{at}y", **norm),
            helper.make_node("MatMul", [f"{at}y", f"{at}inner.weight"], [f"{at}inner"]),
            fused("BiasGelu", [f"{at}inner", f"{at}inner.bias"], f"{at}bent"),
            helper.make_node("MatMul", [f"{at}bent", f"{at}outer.weight"], [f"{at}outer"]),
            fused(
                "SkipLayerNormalization", [f"{at}outer", f"{at}y", f"{at}outer.norm.weight", f"{at}outer.norm.bias", f"{at}outer.bias"], f"x{layer + 1}", **norm
            ),
        ]
    nodes += [
        helper.make_node("ReduceMean", [f"x{LAYERS}"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("LpNormalization", ["mean"], ["vector"], axis=1, p=2),
    ]
    ids, vector = helper.make_tensor_value_info("ids", TensorProto.INT32, [1, "tokens"]), helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, WIDTH])
    return helper.make_model(
        helper.make_graph(nodes, "bert", [ids], [vector], weights),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)],
        ir_version=9,
        producer_name="pincite",
    )


if __name__ == "__main__":
    made = graph()
    OUT.write_bytes(made.SerializeToString(deterministic=True))
