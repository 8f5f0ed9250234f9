"""Optimizers: rules that move parameters along their gradients. Schedules change their settings by step."""

from backprop.optimizers.ada_grad import AdaGrad
from backprop.optimizers.adam import Adam
from backprop.optimizers.adam_w import AdamW
from backprop.optimizers.constant import Constant
from backprop.optimizers.cosine import Cosine
from backprop.optimizers.momentum import Momentum
from backprop.optimizers.nesterov import Nesterov
from backprop.optimizers.one_cycle import OneCycle
from backprop.optimizers.optimizer import Optimizer
from backprop.optimizers.rms_prop import RMSProp
from backprop.optimizers.schedule import Schedule
from backprop.optimizers.setting import Setting
from backprop.optimizers.sgd import SGD
from backprop.optimizers.step_decay import StepDecay
from backprop.optimizers.warm_up import WarmUp

__all__ = ["SGD", "AdaGrad", "Adam", "AdamW", "Momentum", "Nesterov", "Optimizer", "RMSProp", "Setting"]
__all__ += ["Constant", "Cosine", "OneCycle", "Schedule", "StepDecay", "WarmUp"]
