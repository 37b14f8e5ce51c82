"""How two language models chose in the naming game, as tables: what was seen, and how often they said M.

Counted in the published runs of Ashery, Aiello & Baronchelli 2025 (24 agents, names Q and M, memory of 5
meetings, 100 points for the same name and -50 for different ones, temperature 0.5; the repository AI-norms,
MIT licence, (c) 2024 Ariel Flint Ashery), baseline runs only. An entry LPO:p reads: with L meetings in
memory, in P of which the partner and in O of which the agent itself said M, it says M with probability p.
What never occurred is not there.
"""

__all__ = ["LLAMA_3", "LLAMA_31", "Table"]

Table = tuple[tuple[int, int, int, float], ...]
"""Rows: meetings in memory, of these with M by the partner, with M by oneself, and the probability of M."""


def _table(text: str) -> Table:
    pairs = (entry.split(":") for entry in text.split())
    return tuple((int(key[0]), int(key[1]), int(key[2]), float(p)) for key, p in pairs)


LLAMA_3 = _table("""
000:0.477 100:0.000 101:0.000 110:1.000 111:1.000 200:0.000 201:0.000 210:0.701 211:0.566 212:0.768
221:1.000 222:1.000 300:0.000 301:0.000 310:0.781 311:0.154 312:0.000 313:0.000 320:1.000 321:1.000
322:0.965 323:0.662 332:1.000 333:1.000 400:0.000 401:0.000 410:0.812 411:0.000 412:0.000 413:0.000
420:0.625 421:0.769 422:0.825 423:0.600 424:0.769 431:1.000 432:1.000 433:1.000 434:0.632 443:1.000
444:1.000 500:0.000 501:0.000 502:0.000 503:0.000 510:0.582 511:0.115 512:0.243 513:0.026 514:0.000
515:0.000 520:0.384 521:0.675 522:0.365 523:0.521 524:0.586 525:0.477 530:0.906 531:0.966 532:0.991
533:0.979 534:0.829 535:0.920 541:1.000 542:1.000 543:1.000 544:0.999 545:0.736 553:1.000 554:1.000
555:1.000
""")
"""Llama-3-70B-Instruct."""

LLAMA_31 = _table("""
000:0.531 100:0.031 101:0.137 110:0.879 111:0.993 200:0.000 201:0.027 202:0.300 210:0.768 211:0.706
212:0.404 220:0.923 221:0.959 222:0.986 300:0.068 301:0.000 302:0.000 303:0.000 310:0.606 311:0.450
312:0.195 313:0.250 320:0.750 321:0.900 322:0.867 323:0.569 330:1.000 331:0.917 332:0.988 333:0.988
400:0.000 401:0.000 403:0.000 410:0.462 411:0.429 412:0.306 413:0.214 420:0.625 421:0.764 422:0.777
423:0.625 424:0.357 430:0.500 431:1.000 432:0.944 433:0.928 434:0.700 441:1.000 442:1.000 443:0.966
444:1.000 500:0.007 501:0.018 502:0.040 503:0.000 505:0.000 510:0.370 511:0.189 512:0.200 513:0.172
514:0.167 515:0.000 520:0.640 521:0.673 522:0.505 523:0.539 524:0.431 525:0.350 530:0.769 531:0.887
532:0.922 533:0.870 534:0.767 535:0.651 540:1.000 541:0.920 542:0.979 543:0.962 544:0.938 545:0.792
551:1.000 552:1.000 553:0.967 554:0.960 555:0.994
""")
"""Llama-3.1-70B-Instruct."""
