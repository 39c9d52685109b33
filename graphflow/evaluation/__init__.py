"""How good poses are, and how poses go wrong.

`metrics` has PCK, PCP, PDJ and end-point errors, `oks` COCO's similarity with its average precision and recall,
`pose_errors` a generator of the errors that networks make.
"""
