"""What other libraries call our options and kinds, so that a name typed out of habit is answered with ours."""

from __future__ import annotations

from collections.abc import Iterable

OURS: dict[str, tuple[str, ...]] = {
    "activation": ("act", "hidden_activations", "dnn_activation", "activation_fn", "nonlinearity"),
    "batch_size": ("batchsize", "bs", "batch", "train_batch_size", "minibatch_size"),
    "clip_norm": ("grad_clip", "gradient_clip", "gradient_clip_val", "max_grad_norm", "max_gradient_norm", "clip_grad"),
    "column": ("label_name", "input_names", "source", "field"),
    "dim": ("embedding_dim", "embed_dim", "emb_dim", "embedding_size", "embed_size", "d_model", "size_of_embedding"),
    "dropout": ("dropout_rate", "dropout_ratio", "net_dropout", "dnn_dropout", "drop"),
    "embedding_lr": ("sparse_lr", "sparse_optimizer_lr"),
    "ema": ("ema_decay", "model_ema", "ema_momentum", "use_ema", "moving_average", "weight_averaging"),
    "average_last": ("swa", "swa_epochs", "lawa", "average_epochs", "num_last_checkpoints"),
    "epochs": ("n_epoch", "num_epoch", "max_epoch", "max_epochs", "nb_epoch", "n_iter", "max_iter", "iterations"),
    "expert_dims": ("expert_units", "expert_hidden_units", "expert_dnn_hidden_units", "expert_mlp", "expert_params"),
    "experts": ("num_experts", "n_expert", "n_experts", "expert_num", "num_expert"),
    "gate_dims": ("gate_hidden_units", "gate_dnn_hidden_units", "gate_mlp", "gate_units"),
    "hash_buckets": ("hash_size", "num_buckets", "hash_bucket_size", "num_hash_buckets"),
    "keep_days": ("expire_time", "expire_days", "ttl", "ttl_days", "max_age"),
    "l2_dense": ("l2_reg_dnn", "l2_reg_linear", "net_regularizer", "l2_reg"),
    "l2_embedding": ("l2_reg_embedding", "embedding_regularizer", "embed_regularizer"),
    "lr": ("learning_rate", "learningrate", "eta", "alpha", "step_size"),
    "max_length": ("max_len", "maxlen", "seq_length", "sequence_length", "max_seq_len", "truncate"),
    "max_rows": ("zch_size", "max_vocab_size", "vocab_capacity", "capacity"),
    "min_count": ("min_freq", "min_frequency", "min_categr_count", "min_occurrences", "threshold"),
    "monitor": ("metric", "eval_metric", "early_stopping_metric", "best_metric"),
    "own_experts": ("specific_experts", "specific_expert_num", "n_expert_specific", "num_specific_experts"),
    "patience": ("early_stopping", "early_stop", "early_stopping_rounds", "early_stop_patience", "earlystop_patience"),
    "pooling": ("combiner", "agg", "aggregation", "aggregate"),
    "schedule": ("scheduler", "lr_scheduler", "lr_schedule", "learning_rate_schedule"),
    "seed": ("random_state", "random_seed", "rng"),
    "separator": ("sep", "delimiter", "splitter"),
    "shared_experts": ("shared_expert_num", "n_expert_shared", "num_shared_experts"),
    "shares": ("shared_with", "share_embedding", "shared_embedding", "embedding_name"),
    "size": ("vocab_size", "vocabulary_size", "num_embeddings", "cardinality", "input_dim"),
    "tower_dims": ("tower_units", "tower_hidden_units", "tower_dnn_hidden_units", "tower_mlp", "tower_params"),
    "weight_decay": ("wd", "l2", "decay"),
    "adamw": ("adam_w",),
    "categorical": ("sparse", "id", "category", "sparse_feature", "id_feature", "token"),
    "numeric": ("dense", "raw", "number", "float", "continuous", "numerical", "dense_feature", "raw_feature"),
    "sequence": ("varlen", "varlen_sparse", "multivalue", "list", "multi_value", "token_seq"),
    "vector": ("embedding_vector", "float_list", "dense_vector"),
    "binary": ("classification", "click", "binary_classification", "sigmoid"),
    "multiclass": ("multi_class", "softmax", "categorical_crossentropy"),
    "regression": ("mse", "real", "continuous_label"),
    "uncertainty": ("uwl", "uw", "uncertainty_weighting", "homoscedastic"),
    "static": ("equal", "ew", "equal_weighting", "sum", "mean", "none"),
    "gradnorm": ("grad_norm",),
    "shared_bottom": ("sharebottom", "hard_sharing", "hps"),
    "mmoe": ("multi_gate", "mixture_of_experts", "moe"),
}
"""By our name, what others call it; names that differ by a letter or a plural need no entry."""
_THEIRS = {theirs: ours for ours, names in OURS.items() for theirs in names}


def ours_for(name: str, known: Iterable[str]) -> str | None:
    """Return our name for what somebody typed, if it is one of the known names.

    Example:
        >>> ours_for("learning_rate", ["lr", "epochs"]), ours_for("learning_rate", ["epochs"])
        ('lr', None)
    """
    found = _THEIRS.get(name.casefold().replace("-", "_"))
    return found if found is not None and found in set(known) else None
