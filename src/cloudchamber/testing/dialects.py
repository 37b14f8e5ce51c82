"""What servers can do and how they say it: the dialects of one protocol, each as its server documents it.

A dialect is what was read in a server's source or documentation, at the version given beside it, and no more:
it says nothing of models, speed or mistakes. Which of them were held against the real server is told in
docs/how-to/models.md.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["DIALECTS", "Abilities"]


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a server can do; a request for more is refused."""

    chat: bool = True
    completions: bool = True
    top: int = 20
    """Tokens in a list at most; 0 for no log-probabilities."""
    curtails: bool = False
    """Whether a longer list is shortened without a word, or left out, instead of refused."""
    continues: Literal["no", "plain", "flagged"] = "flagged"
    repeats: bool = False
    """Whether its text begins with what was begun for it, as llama.cpp's of old does."""
    schema: bool = True
    scores: bool = True
    """Whether it gives the log-probabilities of a prompt, in chat and by echo."""
    echoes: bool = False
    """Whether it does so by echo alone."""
    refuses: tuple[str, ...] = ()
    """Fields that it will not have, e.g. "seed"."""
    key: str = ""
    """The key it wants; "" for none."""
    ignores: bool = False
    """Whether a field that it knows nothing of is passed over, not refused."""
    prompts: bool = True
    """Whether it takes several prompts at once."""
    fixed: bool = False
    """Whether it refuses any temperature but 1."""
    tells: Literal["error", "flat", "detail", "word"] = "error"
    """How a refusal is written: {"error": {"message"...}}, {"object": "error", "message"...},
    {"detail": ...} or {"error": "..."}."""
    status: int = 400
    """Of a refusal."""
    forbids: bool = False
    """Whether a list that it does not give is refused with 403."""
    drawn: bool = False
    """Whether the token that was drawn comes first in a list, and the list is cut after that."""
    never: float | None = None
    """The log-probability that it writes for what is as good as impossible."""
    spells: Literal["text", "marks", "numbers"] = "text"
    """How tokens are written: as they read, as a byte-level vocabulary has them ("Ġyes"), by numbers."""
    thinks: int = 0
    """Tokens that the model thinks before it answers, unless its answer is begun."""
    thoughts: Literal["reasoning", "reasoning_content", "inline", "hidden"] = "reasoning_content"
    """Where they are put."""
    trims: bool = False
    """Whether its chat template takes off a space at the end of what was begun."""
    provider: str = ""
    """Who answers in its place; "" if it does itself."""


_EVEN = ("top_k", "min_p", "repetition_penalty")

DIALECTS: dict[str, Abilities] = {
    # vllm/entrypoints/openai/chat_completion/protocol.py and serving.py, vllm/config/model.py (max_logprobs),
    # 0.32: unknown fields are passed over, lists are cut after the drawn token was put first,
    # max(logprob, -9999.0), prompt_logprobs in chat, echo in completions.
    "vllm": Abilities(top=20, scores=True, ignores=True, drawn=True, never=-9999.0),
    # The same, started with --return-tokens-as-token-ids (vllm/entrypoints/openai/cli_args.py).
    "vllm by numbers": Abilities(ignores=True, drawn=True, never=-9999.0, spells="numbers"),
    # The same with --reasoning-parser: what is thought comes as `reasoning` (ChatMessage, protocol.py).
    "vllm thinking": Abilities(ignores=True, drawn=True, thinks=300, thoughts="reasoning"),
    # Chat templates that trim messages (Llama 3's `message['content'] | trim`).
    "vllm trimming": Abilities(scores=False, ignores=True, drawn=True, trims=True),
    # python/sglang/srt/entrypoints/openai/protocol.py, serving_chat.py (continue_final_message),
    # serving_completions.py (echo with logprobs >= 1), serving_base.py (create_error_response), 0.5.23: lists
    # of any length, no prompt_logprobs in chat.
    "sglang": Abilities(top=1000, scores=False, echoes=True, ignores=True, tells="flat"),
    # The same: serving_chat.py, reasoning_content, with --reasoning-parser.
    "sglang thinking": Abilities(top=1000, scores=False, ignores=True, tells="flat", thinks=300),
    # github.com/ggml-org/llama.cpp tools/server/README.md: n_probs of any length, unknown fields passed over,
    # /completions takes no echo; continue_final_message as seen of xllamacpp 2026.10.
    "llama.cpp": Abilities(top=1000, scores=False, ignores=True),
    # github.com/ggml-org/llama.cpp/pull/13174: an answer begun is gone on with, and was repeated.
    "llama.cpp of 2025": Abilities(
        top=1000, scores=False, ignores=True, continues="plain", repeats=True
    ),
    # docs.ollama.com/api/openai-compatibility; github.com/ollama/ollama openai/openai.go
    # (ChatCompletionRequest, ErrorResponse: `prompt` is one string) and pull/12899 (top_logprobs 0 to 20);
    # template/template.go (the last assistant message is left open).
    "ollama": Abilities(
        top=20, scores=False, ignores=True, continues="plain", prompts=False, fixed=False
    ),
    # The same before 0.12.11 (no log-probabilities), with a thinking model (`reasoning`).
    "ollama thinking": Abilities(
        top=0,
        curtails=True,
        scores=False,
        ignores=True,
        continues="no",
        prompts=False,
        thinks=300,
        thoughts="reasoning",
    ),
    # platform.openai.com/docs/api-reference/chat/create (top_logprobs 0 to 20); unknown arguments are refused
    # ("Unrecognized request argument supplied"); no answer can be begun; chat models have no /completions.
    "openai": Abilities(
        completions=False, top=20, continues="no", scores=False, refuses=_EVEN, ignores=False
    ),
    # platform.openai.com/docs/guides/reasoning: max_completion_tokens in place of max_tokens, temperature 1
    # and top_p 1 only, thoughts are hidden and counted in usage.completion_tokens_details; a request for
    # log-probabilities is answered 403 ("You are not allowed to request logprobs from this model").
    "openai reasoning": Abilities(
        completions=False,
        top=0,
        forbids=True,
        continues="no",
        scores=False,
        refuses=("max_tokens", "top_p", *_EVEN),
        fixed=True,
        thinks=300,
        thoughts="hidden",
    ),
    # openrouter.ai/docs/api-reference/parameters and /provider-routing (require_parameters; 404 "No endpoints
    # found"); unsupported fields are passed over otherwise. The answer names its provider.
    "openrouter": Abilities(
        completions=False,
        top=20,
        continues="plain",
        scores=False,
        ignores=True,
        refuses=("top_k",),
        provider="DeepInfra",
    ),
    "openrouter without lists": Abilities(
        completions=False,
        top=0,
        continues="no",
        schema=False,
        scores=False,
        ignores=True,
        provider="Anthropic",
    ),
    # lmstudio.ai/docs/developer/openai-compat; github.com/lmstudio-ai/lms/issues/60 (logprobs are accepted,
    # and null); errors are {"error": "..."} (lmstudio-bug-tracker/issues/189).
    "lm studio": Abilities(
        top=0, curtails=True, continues="no", scores=False, ignores=True, tells="word"
    ),
    # src/transformers/cli/serving/chat_completion.py and utils.py (_validate_request), 5.23: fields that
    # OpenAI has are passed over where they are not supported (logprobs, response_format), others are 422;
    # add_generation_prompt is always on; one prompt at a time.
    "transformers serve": Abilities(
        top=0,
        curtails=True,
        continues="no",
        schema=False,
        scores=False,
        ignores=True,
        refuses=(*_EVEN, "continue_final_message", "prompt_logprobs"),
        prompts=False,
        tells="detail",
        status=422,
    ),
    # What is left where a server answers plain questions and refuses everything else, with no reason.
    "bare": Abilities(
        completions=False,
        top=0,
        continues="no",
        schema=False,
        scores=False,
        refuses=("seed", "temperature", "max_tokens", "max_completion_tokens", "top_p", *_EVEN),
        tells="word",
    ),
    # Tokens as a vocabulary writes them, and null for what is not known: seen of smaller servers.
    "marked": Abilities(top=20, continues="plain", scores=False, ignores=True, spells="marks"),
}
"""Name -> what a server of that name can do, and how it says it."""
