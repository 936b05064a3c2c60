"""What was declared for other systems, as manifests of penstock with comments on the rest."""

from penstock.adoption.adopted import Adopted, adopt
from penstock.adoption.origin import Origin
from penstock.adoption.origins import ORIGINS

__all__ = ["ORIGINS", "Adopted", "Origin", "adopt"]
